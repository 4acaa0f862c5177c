--- The actions, and the choice between Neovim's own ghost text and ours.
local keys = require('llm-lsp.keys')
local status = require('llm-lsp.status')
local M = {}

---@class llm_lsp.Options `vim.g.llm_lsp`, set before this plugin is loaded
---@field native? boolean whether to use Neovim's own ghost text, if it has one (default: true)
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
    return face().accept('all')
  end,
  accept_word = function()
    return face().accept('word')
  end,
  accept_line = function()
    return face().accept('line')
  end,
  dismiss = function()
    return face().dismiss()
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

---@param options llm_lsp.Options
function M.setup(options)
  face().setup()
  for name, action in pairs(actions) do
    vim.keymap.set('i', ('<Plug>(llm-lsp-%s)'):format(name:gsub('_', '-')), action)
  end
  if options.keys == false then
    return
  end
  for name, lhs in pairs(vim.tbl_extend('force', KEYS, options.keys or {})) do
    if lhs then
      M.map(lhs, name)
    end
  end
end

return vim.tbl_extend('error', M, actions)
