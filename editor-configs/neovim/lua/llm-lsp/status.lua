--- What the server last said of itself, for a status line; asks nobody.
local M = {}

---@class llm_lsp.Status
---@field kind 'Normal'|'Error'|'Warning'|'Inactive'
---@field busy boolean
---@field message string
---@field provider? string
---@field model? string
---@field spentToday? string as "0.12 USD", or empty

---@type llm_lsp.Status
local status = { kind = 'Normal', busy = false, message = '' }

local is_starting = false

--- Records that the server is being started, until it has answered.
function M.starting()
  is_starting = true
end

--- Records that the server has answered, or ended.
function M.started()
  is_starting = false
end

function M.is_starting()
  return is_starting
end

--- Handles the notification `llm-lsp/status`.
function M.on_status(_, result)
  status = result
  vim.api.nvim_exec_autocmds('User', { pattern = 'LlmLspStatus', modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

--- Gives what it last said, of any buffer.
function M.last()
  return status
end

--- Gives all of it, or nil where the server does not run for this buffer.
---@return llm_lsp.Status?
function M.get()
  if #vim.lsp.get_clients({ bufnr = 0, name = 'llm_lsp' }) == 0 then
    return nil
  end
  return status
end

--- Gives one word, with the server's message where something is wrong; "" where it does not run for this buffer.
function M.text()
  local now = M.get()
  if not now then
    return ''
  elseif now.kind == 'Error' or now.kind == 'Warning' then
    return 'llm! ' .. (now.message or '')
  elseif now.kind == 'Inactive' then
    return 'llm off'
  end
  return now.busy and 'llm…' or 'llm'
end

return M
