--- Next edits: marks the one that follows from the last change, jumps to it, and applies it.
local api = vim.api
local mark = require('llm-lsp.edit_mark')
local M = {}

local METHOD = 'textDocument/copilotInlineEdit'
local NAME = 'llm_lsp' -- of the client, in lsp/
local WAIT_MS = 100 -- from a change to the question, as Copilot's clients wait

---@class llm_lsp.Edit
---@field buf integer
---@field client vim.lsp.Client
---@field command lsp.Command reports that it was accepted
---@field row integer 0-based line
---@field before string what stands in its line before the old text
---@field after string and after it
---@field old string
---@field new string

---@type llm_lsp.Edit?
local shown
---@type {client: vim.lsp.Client, id: integer}?
local pending
local asked = 0 -- questions so far: a timer of an earlier change asks nothing
---@type fun(): boolean whether a completion is visible, which comes first
local has_completion
---@type fun(edit: llm_lsp.Edit?) called when an edit becomes visible or goes
local on_change

local function cancel()
  asked = asked + 1
  if pending then
    pending.client:cancel_request(pending.id)
  end
  pending = nil
end

local function hide()
  if shown then
    mark.hide(shown.buf)
    shown = nil
    on_change(nil)
  end
end

--- Whether a text is a beginning of the new one and then a piece of the old one that is not deleted yet.
local function leads_to(text, edit)
  for at = #text, 0, -1 do
    if vim.startswith(edit.new, text:sub(1, at)) and edit.old:find(text:sub(at + 1), 1, true) then
      return true
    end
  end
  return false
end

--- Finds the shown edit in the text as it is now; nil where something else was written there.
---@return llm_lsp.Edit?
local function found()
  local edit = shown
  if not edit or edit.buf ~= api.nvim_get_current_buf() then
    return nil
  end
  local row = mark.row(edit.buf) or edit.row
  local line = api.nvim_buf_get_lines(edit.buf, row, row + 1, false)[1]
  local kept = #edit.before + #edit.after
  if not line or #line < kept or not (vim.startswith(line, edit.before) and vim.endswith(line, edit.after)) then
    return nil
  end
  local text = line:sub(#edit.before + 1, #line - #edit.after)
  if text == edit.new or not leads_to(text, edit) then
    return nil
  end
  return vim.tbl_extend('force', edit, { row = row, old = text })
end

local function draw()
  local edit = found()
  if not edit or has_completion() then
    hide()
  else
    mark.draw(edit)
  end
end

---@param client vim.lsp.Client
---@param item table
local function show(client, item)
  local buf = api.nvim_get_current_buf()
  local start, stop = item.range.start, item.range['end']
  local line = api.nvim_buf_get_lines(buf, start.line, start.line + 1, false)[1]
  hide()
  if start.line ~= stop.line or not line or item.text:find('\n') or has_completion() then
    return
  end
  local from = vim.str_byteindex(line, client.offset_encoding, start.character, false)
  local to = vim.str_byteindex(line, client.offset_encoding, stop.character, false)
  shown = {
    buf = buf,
    client = client,
    command = item.command,
    row = start.line,
    before = line:sub(1, from),
    after = line:sub(to + 1),
    old = line:sub(from + 1, to),
    new = item.text,
  }
  mark.draw(shown)
  on_change(shown)
end

local function ask()
  cancel()
  local buf = api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ bufnr = buf, name = NAME })[1]
  local mode = api.nvim_get_mode().mode
  if not client or not (mode == 'n' or vim.startswith(mode, 'i')) or vim.fn.reg_executing() ~= '' then
    return
  end
  local tick = api.nvim_buf_get_changedtick(buf)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.textDocument.version = vim.lsp.util.buf_versions[buf]
  local sent, id
  sent, id = client:request(METHOD, params, function(err, result)
    if not pending or pending.id ~= id then
      return
    end
    pending = nil
    local current = buf == api.nvim_get_current_buf() and tick == api.nvim_buf_get_changedtick(buf)
    if not current then
      return -- what was typed meanwhile is asked about by its own event
    end
    local item = not err and result and result.edits and result.edits[1]
    if item then
      show(client, item)
    else
      hide()
    end
  end, buf)
  if sent then
    pending = { client = client, id = id }
  end
end

--- Asks once the user pauses.
local function changed()
  draw()
  cancel()
  local mine = asked
  vim.defer_fn(function()
    if mine == asked then
      ask()
    end
  end, WAIT_MS)
end

--- Goes to the edit, or applies it where the cursor is in its line; says whether there is one.
function M.accept()
  local edit = found()
  if not edit then
    hide()
    return false
  end
  if api.nvim_win_get_cursor(0)[1] - 1 ~= edit.row then
    vim.cmd.normal({ "m'", bang = true })
    api.nvim_win_set_cursor(0, { edit.row + 1, #edit.before })
    mark.draw(edit)
    return true
  end
  hide()
  vim.go.undolevels = vim.go.undolevels -- ends the undo step of what was typed (:help undo-break)
  local start = #edit.before
  api.nvim_buf_set_text(edit.buf, edit.row, start, edit.row, start + #edit.old, { edit.new })
  api.nvim_win_set_cursor(0, { edit.row + 1, start + #edit.new })
  edit.client:exec_cmd(edit.command, { bufnr = edit.buf }, function() end)
  return true
end

--- Takes the edit away for good; says whether there was one.
function M.dismiss()
  local edit = shown
  if not edit then
    return false
  end
  hide()
  cancel()
  local command = { title = '', command = 'llm-lsp.dismissed', arguments = edit.command.arguments }
  edit.client:exec_cmd(command, { bufnr = edit.buf }, function() end)
  return true
end

--- Says whether an edit is marked, or hinted at.
function M.is_shown()
  return shown ~= nil
end

---@param is_completion_visible fun(): boolean
---@param changed_mark fun(edit: llm_lsp.Edit?)
function M.setup(is_completion_visible, changed_mark)
  has_completion, on_change = is_completion_visible, changed_mark
  mark.setup()
  local group = api.nvim_create_augroup('llm-lsp-edit', {})
  local function on(events, callback, pattern)
    api.nvim_create_autocmd(events, { group = group, pattern = pattern, callback = callback })
  end
  on({ 'TextChanged', 'TextChangedI', 'TextChangedP' }, changed)
  on('ModeChanged', changed, 'i*:n')
  on({ 'CursorMoved', 'CursorMovedI', 'WinScrolled' }, draw)
  on('User', draw, 'LlmLspGhost')
  on({ 'BufLeave', 'LspDetach' }, function()
    hide()
    cancel()
  end)
end

return M
