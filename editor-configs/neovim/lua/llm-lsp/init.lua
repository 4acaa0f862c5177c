--- The actions, and the choice between Neovim's own ghost text and ours.
local edit = require('llm-lsp.edit')
local keys = require('llm-lsp.keys')
local status = require('llm-lsp.status')
local M = {}

---@class llm_lsp.Options `vim.g.llm_lsp`, set before this plugin is loaded
---@field native? boolean whether to use Neovim's own ghost text, if it has one (default: true)
---@field wait_ms? integer how long the rest of an accepted line is waited for (default: 300)
---@field edits? boolean whether this plugin shows next edits (default: true)
---@field keys? table<string, string|false>|false a key by action, over `KEYS`; false for none

local KEYS = {
  accept = '<Tab>',
  accept_word = '<M-w>',
  accept_line = '<M-l>',
  dismiss = '<M-e>',
  next = '<M-n>',
  previous = '<M-p>',
  request = '<M-r>',
}

-- In normal mode, only while a next edit is marked.
local EDIT_KEYS = { accept_edit = '<Tab>', dismiss_edit = '<Esc>' }

--- Returns whether Neovim's own ghost text is used.
function M.is_native()
  return vim.lsp.inline_completion ~= nil and (vim.g.llm_lsp or {}).native ~= false
end

local function face()
  return require(M.is_native() and 'llm-lsp.native' or 'llm-lsp.ghost')
end

--- Each action returns whether there was something to do.
---@type table<string, fun(): boolean>
local actions = {
  accept = function()
    return face().accept('all') or edit.accept()
  end,
  accept_word = function()
    return face().accept('word')
  end,
  accept_line = function()
    return face().accept('line')
  end,
  dismiss = function()
    return face().dismiss() or edit.dismiss()
  end,
  next = function()
    return face().select(1)
  end,
  previous = function()
    return face().select(-1)
  end,
  request = function()
    return face().request()
  end,
}

M.status = status.text
M.state = status.get

--- Maps a key in insert mode to an action; if that has nothing to do, the key keeps its earlier meaning.
---@param lhs string
---@param name string
function M.map(lhs, name)
  keys.map(lhs, name:gsub('_', ' '), assert(actions[name], 'llm-lsp has no action ' .. name))
end

--- Whether a completion is visible: a ghost text or a menu.
local function has_completion()
  return vim.fn.pumvisible() == 1 or face().is_visible()
end

--- Shows next edits, with these keys in normal mode.
---@param wanted table<string, string|false>
local function setup_edits(wanted)
  local run = { accept_edit = edit.accept, dismiss_edit = edit.dismiss }
  edit.setup(has_completion, function(shown)
    keys.release()
    for name, lhs in pairs(shown and wanted or {}) do
      if lhs then
        keys.borrow(shown.buf, lhs, name:gsub('_', ' '), run[name])
      end
    end
  end)
end

---@param options llm_lsp.Options
function M.setup(options)
  face().setup()
  for name, action in pairs(actions) do
    vim.keymap.set('i', ('<Plug>(llm-lsp-%s)'):format(name:gsub('_', '-')), action)
  end
  local chosen = options.keys or {}
  if options.edits ~= false then
    setup_edits(options.keys == false and {} or {
      accept_edit = vim.F.if_nil(chosen.accept_edit, EDIT_KEYS.accept_edit),
      dismiss_edit = vim.F.if_nil(chosen.dismiss_edit, EDIT_KEYS.dismiss_edit),
    })
  end
  if options.keys == false then
    return
  end
  for name, lhs in pairs(vim.tbl_extend('force', KEYS, chosen)) do
    if lhs and not EDIT_KEYS[name] then
      M.map(lhs, name)
    end
  end
end

M.accept_edit, M.dismiss_edit = edit.accept, edit.dismiss

return vim.tbl_extend('error', M, actions)
