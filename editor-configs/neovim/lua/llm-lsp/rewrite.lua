--- Rewriting lines by an instruction: the new text is shown in a diff beside the old one while it is written.
local M = {}

---@class llm_lsp.Rewrite
---@field token string
---@field source integer the buffer
---@field page integer the buffer with the proposal
---@field tick integer the source's change when it began
---@field first integer 0-based
---@field stop integer the line after the last

---@type llm_lsp.Rewrite?
local shown
local counter = 0

---@param text string
---@return string[]
local function lines_of(text)
  return vim.split((text:gsub('\r\n', '\n'):gsub('\n$', '')), '\n')
end

local function close()
  local rewrite = shown
  shown = nil
  if rewrite and vim.api.nvim_buf_is_valid(rewrite.page) then
    vim.api.nvim_buf_delete(rewrite.page, { force = true })
  end
  vim.cmd('diffoff!')
end

--- Shows the text so far.
---@param token string
---@param text string
function M.show(token, text)
  local rewrite = shown
  if not rewrite or rewrite.token ~= token or not vim.api.nvim_buf_is_valid(rewrite.page) then
    return
  end
  local old = vim.api.nvim_buf_get_lines(rewrite.source, 0, -1, true)
  local made = vim.list_slice(old, 1, rewrite.first)
  vim.list_extend(made, lines_of(text))
  vim.list_extend(made, vim.list_slice(old, rewrite.stop + 1))
  vim.bo[rewrite.page].modifiable = true
  vim.api.nvim_buf_set_lines(rewrite.page, 0, -1, true, made)
  vim.bo[rewrite.page].modifiable = false
  vim.b[rewrite.page].llm_lsp_rewrite = lines_of(text)
end

--- Replaces the lines by the proposal, unless the buffer has changed.
function M.accept()
  local rewrite = shown
  local made = rewrite and vim.b[rewrite.page].llm_lsp_rewrite
  if not rewrite or not made then
    vim.notify('llm-lsp: there is no rewrite to accept', vim.log.levels.WARN)
    return
  end
  if vim.api.nvim_buf_get_changedtick(rewrite.source) ~= rewrite.tick then
    vim.notify('llm-lsp: the buffer has changed meanwhile, so nothing is replaced', vim.log.levels.WARN)
    return
  end
  vim.api.nvim_buf_set_lines(rewrite.source, rewrite.first, rewrite.stop, true, made)
  close()
end

--- Leaves the buffer as it is.
function M.discard()
  close()
end

---@param source integer
---@return integer
local function open_page(source)
  vim.cmd('diffthis')
  vim.cmd('rightbelow vnew')
  local page = vim.api.nvim_get_current_buf()
  vim.bo[page].buftype, vim.bo[page].bufhidden, vim.bo[page].swapfile = 'nofile', 'wipe', false
  vim.bo[page].filetype = vim.bo[source].filetype
  vim.api.nvim_buf_set_lines(page, 0, -1, true, vim.api.nvim_buf_get_lines(source, 0, -1, true))
  vim.bo[page].modifiable = false
  vim.cmd('diffthis')
  vim.cmd('wincmd p')
  return page
end

---@param instruction string
---@param first integer 0-based
---@param stop integer the line after the last
---@param execute fun(name: string, arguments: any[], on_result: fun(result: any))
function M.start(instruction, first, stop, execute)
  close()
  counter = counter + 1
  local source = vim.api.nvim_get_current_buf()
  local rewrite = {
    token = 'rewrite-' .. counter,
    source = source,
    tick = vim.api.nvim_buf_get_changedtick(source),
    first = first,
    stop = stop,
    page = open_page(source),
  }
  shown = rewrite
  local argument = {
    uri = vim.uri_from_bufnr(source),
    first = first,
    stop = stop,
    instruction = instruction,
    token = rewrite.token,
  }
  execute('rewrite', { argument }, function(answer)
    if shown == rewrite and type(answer) == 'table' then
      M.show(rewrite.token, answer.text)
      vim.notify(':LlmLsp accept or :LlmLsp discard' .. (answer.isWhole and '' or ' (it was cut off)'))
    end
  end)
end

vim.lsp.handlers['llm-lsp/rewriting'] = function(_, params)
  M.show(params.token, params.text)
end

return M
