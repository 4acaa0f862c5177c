-- Ghost text for `textDocument/inlineCompletion`; knows nothing of models, and maps no key by itself.
local api = vim.api
local M = {}

local METHOD = 'textDocument/inlineCompletion'
local INVOKED, AUTOMATIC = 1, 2 -- InlineCompletionTriggerKind, LSP 3.18
local namespace = api.nvim_create_namespace('llm_lsp')
local MARK = 1 -- one extmark at a time, so that a new text replaces the old one without a gap
local NAME = 'llm_lsp'

---@class llm_lsp.Shown
---@field buf integer
---@field row integer where `text` begins: 0-based line
---@field col integer and byte
---@field text string all of it; the user may have typed a part since
---@field rest string the line after the cursor, which stays as it is while the text is shown
---@field kept string the end of `rest` that stays when all is accepted
---@field client vim.lsp.Client
---@field command? lsp.Command reports that all was accepted
---@field items lsp.InlineCompletionItem[]
---@field index integer

---@type llm_lsp.Shown?
local shown
---@type {client: vim.lsp.Client, id: integer, place: string}?
local pending
---@type integer? changedtick of the text that was last asked about
local asked_tick
local native = false

local function cursor()
  local row, col = unpack(api.nvim_win_get_cursor(0))
  return row - 1, col
end

--- Names the text and the cursor: an answer for another place is stale.
local function place()
  local buf = api.nvim_get_current_buf()
  return table.concat({ buf, api.nvim_buf_get_changedtick(buf), cursor() }, ':')
end

--- What is left of a shown text, or nil where the user went another way.
---@param s llm_lsp.Shown
local function remaining(s)
  local row, col = cursor()
  local anchor = api.nvim_buf_is_loaded(s.buf) and api.nvim_buf_get_lines(s.buf, s.row, s.row + 1, false)[1]
  local before = row < s.row or (row == s.row and col < s.col)
  if api.nvim_get_current_buf() ~= s.buf or not anchor or #anchor < s.col or before then
    return nil
  end
  local typed = table.concat(api.nvim_buf_get_text(s.buf, s.row, s.col, row, col, {}), '\n')
  local fits = vim.startswith(s.text, typed) and api.nvim_get_current_line():sub(col + 1) == s.rest
  return fits and #typed < #s.text and s.text:sub(#typed + 1) or nil
end

local function hide()
  if shown and api.nvim_buf_is_valid(shown.buf) then
    api.nvim_buf_del_extmark(shown.buf, namespace, MARK)
  end
  shown = nil
end

local function cancel()
  if pending then
    pending.client:cancel_request(pending.id)
  end
  pending = nil
end

--- Draws what is left at the cursor.
--- Where the answer only inserts into the line, the line moves aside; else the ghost covers what it replaces.
---@param s llm_lsp.Shown
---@param left string
local function draw(s, left)
  local row, col = cursor()
  local lines = vim.split((left .. s.kept):gsub('\t', (' '):rep(vim.bo.tabstop)), '\n', { plain = true })
  local first = lines[1]
  local inserts = s.rest == '' or (#lines == 1 and vim.endswith(first, s.rest))
  if inserts then
    first = first:sub(1, #first - #s.rest)
  else
    first = first .. (' '):rep(vim.fn.strdisplaywidth(s.rest) - vim.fn.strdisplaywidth(first))
  end
  local below = vim.tbl_map(function(line)
    return { { line, 'LlmLspGhost' } }
  end, vim.list_slice(lines, 2))
  api.nvim_buf_set_extmark(s.buf, namespace, row, col, {
    id = MARK,
    virt_text = { { first, 'LlmLspGhost' } },
    virt_text_pos = inserts and 'inline' or 'overlay',
    virt_lines = #below > 0 and below or nil,
    hl_mode = 'combine',
  })
end

--- Makes a shown text of an answer for the cursor's place; `start` and `stop` are bytes of its line.
local function placed(text, start, stop)
  local row, col = cursor()
  local line = api.nvim_get_current_line()
  return {
    buf = api.nvim_get_current_buf(),
    row = row,
    col = start or col,
    text = text:gsub('\r\n?', '\n'),
    rest = line:sub(col + 1),
    kept = line:sub(math.max(stop or col, col) + 1),
  }
end

---@param client vim.lsp.Client
---@param items lsp.InlineCompletionItem[]
---@param index integer
local function show(client, items, index)
  local item = items[index]
  local range, start, stop = item.range, nil, nil
  if range then
    local line = api.nvim_get_current_line()
    start = vim.str_byteindex(line, client.offset_encoding, range.start.character, false)
    stop = vim.str_byteindex(line, client.offset_encoding, range['end'].character, false)
  end
  local text = type(item.insertText) == 'table' and item.insertText.value or item.insertText
  local new = vim.tbl_extend('error', placed(text, start, stop), {
    client = client,
    command = item.command,
    items = items,
    index = index,
  })
  local left = remaining(new)
  hide()
  if left then
    shown = new
    draw(new, left)
  end
end

---@param kind integer
local function ask(kind)
  cancel()
  local client = vim.lsp.get_clients({ bufnr = 0, name = NAME, method = METHOD })[1]
  if not client or not vim.startswith(api.nvim_get_mode().mode, 'i') or vim.fn.reg_executing() ~= '' then
    return false
  end
  local here = place()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local sent, id
  sent, id = client:request(METHOD, params, function(_, result)
    if pending and pending.id == id then
      pending = nil
    end
    local items = result and (result.items or result) or {}
    if #items > 0 and here == place() and vim.startswith(api.nvim_get_mode().mode, 'i') then
      show(client, items, 1)
    end
  end, api.nvim_get_current_buf())
  if sent then
    pending = { client = client, id = id, place = here }
  end
  return sent
end

local function update()
  local tick = api.nvim_buf_get_changedtick(0)
  local left = shown and remaining(shown)
  if shown and left then -- the user types along, or takes some of it back
    asked_tick = tick
    draw(shown, left)
    return
  end
  hide()
  if pending and pending.place == place() then
    return
  end
  cancel()
  if tick ~= asked_tick then
    asked_tick = tick
    ask(AUTOMATIC)
  end
end

local function leave()
  hide()
  cancel()
  asked_tick = nil
end

--- What each way of accepting takes of the text that is left.
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

--- Puts a part of `s` into the buffer as one undo step; says whether that was all of it.
---@param s llm_lsp.Shown
---@param left string
---@param part 'all'|'line'|'word'
local function insert(s, left, part)
  local taken = PARTS[part](left)
  local all = #taken == #left
  local row, col = cursor()
  local stop = col + (all and #s.rest - #s.kept or 0)
  local lines = vim.split(taken, '\n', { plain = true })
  vim.go.undolevels = vim.go.undolevels -- ends the undo step of what was typed (:help undo-break)
  api.nvim_buf_set_text(s.buf, row, col, row, stop, lines)
  api.nvim_win_set_cursor(0, { row + #lines, (#lines == 1 and col or 0) + #lines[#lines] })
  return all
end

---@param client vim.lsp.Client
---@param command? lsp.Command
local function report(client, command)
  if command then
    client:exec_cmd(command, { bufnr = api.nvim_get_current_buf() }, function() end)
  end
end

---@param part 'all'|'line'|'word'
local function accept(part)
  local s = shown
  local left = s and remaining(s)
  if not s or not left then
    return false
  end
  if insert(s, left, part) then
    hide()
    report(s.client, s.command)
  else
    draw(s, assert(remaining(s)))
  end
  return true
end

--- The same through Neovim's own ghost text. Its `get` would put the text where the cursor was when the
--- answer came; `placed` also holds for what was typed since.
---@param part 'all'|'line'|'word'
local function accept_native(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local text = item.insert_text
      local start, stop
      if item.range then
        _, start, _, stop = item.range:to_extmark()
      end
      local s = placed(type(text) == 'table' and text.value or text, start, stop)
      local left = remaining(s)
      if left and insert(s, left, part) then
        report(assert(vim.lsp.get_client_by_id(item.client_id)), item.command)
      end
    end,
  })
end

--- Each action says whether there was something to do.
function M.accept()
  return (native and accept_native or accept)('all')
end

function M.accept_word()
  return (native and accept_native or accept)('word')
end

function M.accept_line()
  return (native and accept_native or accept)('line')
end

function M.dismiss()
  if native then
    return vim.lsp.inline_completion.get({ on_accept = function() end })
  end
  local had = shown ~= nil or pending ~= nil
  hide()
  cancel()
  return had
end

--- Shows the next answer; where the server gave no more, asks as the user's own wish.
function M.next()
  if native then
    vim.lsp.inline_completion.select()
    return true
  end
  if shown and shown.index < #shown.items then
    show(shown.client, shown.items, shown.index + 1)
    return true
  end
  return ask(INVOKED)
end

--- Neovim 0.11 does not say that it takes inline completion; a server then fills the menu instead.
M.capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } }

local status = { kind = 'Normal', busy = false, message = '' }

M.handlers = {
  ['llm-lsp/status'] = function(_, result)
    status = result
    vim.cmd.redrawstatus({ bang = true })
  end,
}

--- One word for the status line, with the server's message where something is wrong.
function M.status()
  if #vim.lsp.get_clients({ bufnr = 0, name = NAME }) == 0 then
    return ''
  elseif status.kind == 'Error' or status.kind == 'Warning' then
    return 'llm! ' .. (status.message or '')
  elseif status.kind == 'Inactive' then
    return 'llm off'
  end
  return status.busy and 'llm…' or 'llm'
end

---@type table<string, table<string, any>> what a key meant before we took it
local former = {}

local function fall_back(lhs)
  local map = former[lhs]
  local keys, mode = vim.keycode(lhs), 'in'
  if not vim.tbl_isempty(map) then
    local rhs = (map.rhs or ''):gsub('<SID>', ('<SNR>%d_'):format(map.sid))
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

--- Maps a key in insert mode to an action; without something to do it means what it meant before.
---@param lhs string
---@param action 'accept'|'accept_word'|'accept_line'|'dismiss'|'next'
function M.map(lhs, action)
  local map = vim.fn.maparg(lhs, 'i', false, true)
  if map.desc == nil or not vim.startswith(map.desc, 'llm-lsp: ') then -- not ours, from an earlier load
    former[lhs] = map
  end
  vim.keymap.set('i', lhs, function()
    if not M[action]() then
      fall_back(lhs)
    end
  end, { desc = 'llm-lsp: ' .. action:gsub('_', ' ') })
end

---@param opts { native: boolean }
function M.setup(opts)
  native = opts.native
  if native then
    vim.lsp.inline_completion.enable(true)
    return
  end
  api.nvim_set_hl(0, 'LlmLspGhost', { default = true, link = 'NonText' })
  local group = api.nvim_create_augroup('llm_lsp', {})
  local function watch(buf)
    local function on(events, callback)
      api.nvim_create_autocmd(events, { group = group, buffer = buf, callback = callback })
    end
    api.nvim_clear_autocmds({ group = group, buffer = buf })
    on({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, update)
    on('InsertEnter', vim.schedule_wrap(update))
    on({ 'InsertLeave', 'BufLeave' }, leave)
  end
  local function is_ours(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    return client and client.name == NAME
  end
  api.nvim_create_autocmd({ 'LspAttach', 'LspDetach' }, {
    group = group,
    callback = function(event)
      if not is_ours(event) then
        return
      elseif event.event == 'LspAttach' then
        watch(event.buf)
      else
        leave()
        api.nvim_clear_autocmds({ group = group, buffer = event.buf })
      end
    end,
  })
end

return M
