--- Draws a next edit: its old text marked, the new one beside it, and a hint where it is off the screen.
local api = vim.api
local M = {}

local namespace = api.nvim_create_namespace('llm-lsp-edit')
local PLACE, HINT = 1, 2

--- Gives the line where the edit is now, after changes above it.
---@param buf integer
---@return integer?
function M.row(buf)
  return api.nvim_buf_get_extmark_by_id(buf, namespace, PLACE, {})[1]
end

---@param buf integer
function M.hide(buf)
  if api.nvim_buf_is_valid(buf) then
    api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

local function hint(edit)
  local row = api.nvim_win_get_cursor(0)[1] - 1
  local arrow = edit.row < row and '↑' or '↓'
  api.nvim_buf_set_extmark(edit.buf, namespace, row, 0, {
    id = HINT,
    virt_text = { { (' %s next edit: line %d'):format(arrow, edit.row + 1), 'LlmLspEditHint' } },
    virt_text_pos = 'eol',
  })
end

---@param edit llm_lsp.Edit
function M.draw(edit)
  local start = #edit.before
  local new = edit.new:gsub('\t', (' '):rep(vim.bo[edit.buf].tabstop))
  api.nvim_buf_set_extmark(edit.buf, namespace, edit.row, start, {
    id = PLACE,
    end_row = edit.row,
    end_col = start + #edit.old,
    hl_group = edit.old ~= '' and 'LlmLspEditOld' or nil,
    right_gravity = false,
    end_right_gravity = true,
  })
  api.nvim_buf_del_extmark(edit.buf, namespace, PLACE + 2)
  if new ~= '' then
    api.nvim_buf_set_extmark(edit.buf, namespace, edit.row, start + #edit.old, {
      id = PLACE + 2,
      virt_text = { { new, 'LlmLspEditNew' } },
      virt_text_pos = 'inline',
    })
  end
  local first, last = vim.fn.line('w0') - 1, vim.fn.line('w$') - 1
  if edit.row < first or edit.row > last then
    hint(edit)
  else
    api.nvim_buf_del_extmark(edit.buf, namespace, HINT)
  end
end

function M.setup()
  for name, link in pairs({ LlmLspEditOld = 'DiffDelete', LlmLspEditNew = 'DiffAdd', LlmLspEditHint = 'Comment' }) do
    api.nvim_set_hl(0, name, { default = true, link = link })
  end
end

return M
