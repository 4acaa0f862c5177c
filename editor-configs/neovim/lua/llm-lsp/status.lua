--- The server's last reported status, for a status line; sends no request.
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

--- Records that the server is starting, until it has answered.
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

--- Returns its last status, for any buffer.
function M.last()
  return status
end

--- Returns the whole status, or nil if the server is not running for this buffer.
---@return llm_lsp.Status?
function M.get()
  if #vim.lsp.get_clients({ bufnr = 0, name = 'llm_lsp' }) == 0 then
    return nil
  end
  return status
end

--- Returns one word, and the server's message if something is wrong; "" if it is not running for this buffer.
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
