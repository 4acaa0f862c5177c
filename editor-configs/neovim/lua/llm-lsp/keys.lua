--- Insert-mode keys that keep their earlier meaning if their action has nothing to do.
local api = vim.api
local M = {}

local OURS = 'llm-lsp: '

---@type table<string, table<string, any>> the earlier mapping of a key
local former = {}

--- Without a mapping, Alt with a key equals <Esc> and the key, so a late key press would leave insert mode.
local function means_nothing(lhs)
  return vim.tbl_isempty(former[lhs]) and lhs:find('^<[AMam]%-.+>$') ~= nil
end

local function fall_back(lhs)
  if means_nothing(lhs) then
    return
  end
  local map = former[lhs]
  local keys, mode = vim.keycode(lhs), 'in'
  if not vim.tbl_isempty(map) then
    local rhs = (map.rhs or ''):gsub('^<Nop>$', ''):gsub('<SID>', ('<SNR>%d_'):format(map.sid))
    mode = map.noremap == 1 and 'in' or 'im'
    if map.expr == 1 then
      keys = map.callback and map.callback() or api.nvim_eval(rhs)
      keys = map.replace_keycodes == 1 and vim.keycode(keys or '') or keys
    elseif map.callback then
      keys = map.callback() and ''
    else
      keys = vim.keycode(rhs)
    end
  end
  api.nvim_feedkeys(keys or '', mode, false)
end

--- Maps a key to an action, which returns whether it had something to do.
---@param lhs string
---@param name string
---@param action fun(): boolean
function M.map(lhs, name, action)
  local map = vim.fn.maparg(lhs, 'i', false, true)
  if not vim.startswith(map.desc or '', OURS) then -- otherwise it is ours already
    former[lhs] = map
  end
  vim.keymap.set('i', lhs, function()
    if not action() then
      fall_back(lhs)
    end
  end, { desc = OURS .. name })
end

---@type {buf: integer, lhs: string, map: table<string, any>}[] normal mode keys of a buffer that we have for a while
local borrowed = {}

--- Maps a key of a buffer in normal mode until `release`.
---@param buf integer
---@param lhs string
---@param name string
---@param action fun(): boolean
function M.borrow(buf, lhs, name, action)
  local map = vim.api.nvim_buf_call(buf, function()
    return vim.fn.maparg(lhs, 'n', false, true)
  end)
  table.insert(borrowed, { buf = buf, lhs = lhs, map = map.buffer == 1 and map or {} })
  vim.keymap.set('n', lhs, action, { buffer = buf, desc = OURS .. name })
end

--- Gives all borrowed keys back.
function M.release()
  for _, each in ipairs(borrowed) do
    if api.nvim_buf_is_valid(each.buf) then
      pcall(vim.keymap.del, 'n', each.lhs, { buffer = each.buf })
      if not vim.tbl_isempty(each.map) then
        api.nvim_buf_call(each.buf, function()
          vim.fn.mapset('n', false, each.map)
        end)
      end
    end
  end
  borrowed = {}
end

return M
