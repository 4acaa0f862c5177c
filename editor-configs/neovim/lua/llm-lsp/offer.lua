--- A suggested text at a position: how much of it remains to be typed, and how to insert it.
local api = vim.api
local M = {}

---@class llm_lsp.Offer
---@field buf integer
---@field row integer where `text` begins: 0-based line
---@field col integer and byte
---@field text string all of it; the user may have typed a part since
---@field rest string the line after the cursor, which does not change while the text is shown
---@field kept string the end of `rest` that stays when all is accepted

---@alias llm_lsp.Part 'all'|'line'|'word'

--- Returns the cursor's line and byte, both 0-based.
function M.cursor()
  local row, col = unpack(api.nvim_win_get_cursor(0))
  return row - 1, col
end

--- Makes an offer of a text for the cursor's place; `start` and `stop` are the bytes of its line that it replaces.
---@param text string
---@param start? integer
---@param stop? integer
---@return llm_lsp.Offer
function M.placed(text, start, stop)
  local row, col = M.cursor()
  local line = api.nvim_get_current_line()
  return {
    buf = api.nvim_get_current_buf(),
    row = row,
    col = start or col,
    text = (text:gsub('\r\n?', '\n')),
    rest = line:sub(col + 1),
    kept = line:sub(math.max(stop or col, col) + 1),
  }
end

--- Returns the rest of an offer, or nil if the user typed something else.
---@param offer llm_lsp.Offer
---@return string?
function M.remaining(offer)
  local row, col = M.cursor()
  local anchor = api.nvim_buf_is_loaded(offer.buf)
    and api.nvim_buf_get_lines(offer.buf, offer.row, offer.row + 1, false)[1]
  local before = row < offer.row or (row == offer.row and col < offer.col)
  if api.nvim_get_current_buf() ~= offer.buf or not anchor or #anchor < offer.col or before then
    return nil
  end
  local typed = table.concat(api.nvim_buf_get_text(offer.buf, offer.row, offer.col, row, col, {}), '\n')
  local fits = vim.startswith(offer.text, typed) and api.nvim_get_current_line():sub(col + 1) == offer.rest
  return fits and #typed < #offer.text and offer.text:sub(#typed + 1) or nil
end

--- The part of the remaining text that each way of accepting inserts.
---@type table<llm_lsp.Part, fun(text: string): string>
local PARTS = {
  all = function(text)
    return text
  end,
  line = function(text)
    return text:match('^\n*[^\n]*')
  end,
  word = function(text)
    local word = vim.fn.matchstr(text, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
    return word ~= '' and word or text
  end,
}

--- Inserts a part of an offer as one undo step; returns whether that was all of it.
---@param offer llm_lsp.Offer
---@param left string
---@param part llm_lsp.Part
function M.insert(offer, left, part)
  local taken = PARTS[part](left)
  local all = #taken == #left
  local row, col = M.cursor()
  local stop = col + (all and #offer.rest - #offer.kept or 0)
  local lines = vim.split(taken, '\n', { plain = true })
  vim.go.undolevels = vim.go.undolevels -- ends the undo step of what was typed (:help undo-break)
  api.nvim_buf_set_text(offer.buf, row, col, row, stop, lines)
  api.nvim_win_set_cursor(0, { row + #lines, (#lines == 1 and col or 0) + #lines[#lines] })
  return all
end

--- Reports to the server that all of the text was accepted.
---@param client vim.lsp.Client
---@param command? lsp.Command
function M.report(client, command)
  if command then
    client:exec_cmd(command, { bufnr = api.nvim_get_current_buf() }, function() end)
  end
end

return M
