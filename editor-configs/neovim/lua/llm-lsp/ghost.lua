--- Ghost text for `textDocument/inlineCompletion` if Neovim has none (0.11).
local api = vim.api
local offer = require('llm-lsp.offer')
local status = require('llm-lsp.status')
local M = {}

local METHOD = 'textDocument/inlineCompletion'
local INVOKED, AUTOMATIC = 1, 2 -- InlineCompletionTriggerKind, LSP 3.18
local namespace = api.nvim_create_namespace('llm-lsp')
local MARK = 1 -- one extmark at a time, so that a new text replaces the old one directly
local NAME = 'llm_lsp' -- of the client, in lsp/
local WAIT_MS = 300 -- for the rest of an accepted line, unless the options have another time

---@class llm_lsp.Shown: llm_lsp.Offer
---@field client vim.lsp.Client
---@field command? lsp.Command reports that all was accepted
---@field items lsp.InlineCompletionItem[]
---@field index integer

---@type llm_lsp.Shown?
local shown
---@type {client: vim.lsp.Client, id: integer, place: string}?
local pending
---@type integer? changedtick of the text at the last request
local asked_tick
---@type string? the place behind the last accepted text
local accepted
---@type integer? until when the rest of the line behind it is inserted as it comes (vim.uv.now)
local wanted_until
---@type string? the place for which a busy server had no answer, for example while its model was loading
local too_early

--- Identifies the text and the cursor, to detect outdated answers.
local function place()
  local buf = api.nvim_get_current_buf()
  return table.concat({ buf, api.nvim_buf_get_changedtick(buf), offer.cursor() }, ':')
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

--- Draws the remaining text at the cursor.
--- If the answer only inserts text, the line moves aside; otherwise the ghost text covers what it replaces.
---@param s llm_lsp.Shown
---@param left string
local function draw(s, left)
  local row, col = offer.cursor()
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
  local new = vim.tbl_extend('error', offer.placed(text, start, stop), {
    client = client,
    command = item.command,
    items = items,
    index = index,
  })
  local left = offer.remaining(new)
  hide()
  if left then
    shown = new
    draw(new, left)
    api.nvim_exec_autocmds('User', { pattern = 'LlmLspGhost', modeline = false })
  end
end

--- Inserts a part of what is shown.
---@param part llm_lsp.Part
local function take(part)
  local s = shown
  local left = s and offer.remaining(s)
  if not s or not left then
    return false
  end
  if offer.insert(s, left, part) then
    hide()
    offer.report(s.client, s.command)
  else
    draw(s, assert(offer.remaining(s)))
  end
  accepted = place()
  return true
end

--- Inserts the rest of an accepted line, if it has just come and is still wanted; returns whether more may follow.
local function take_rest()
  local left = shown and offer.remaining(shown)
  local is_wanted = wanted_until and accepted == place() and vim.uv.now() <= wanted_until
  if not is_wanted or not left or vim.startswith(left, '\n') or not take('line') or shown then
    wanted_until = nil
  end
  return wanted_until ~= nil
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
  sent, id = client:request(METHOD, params, function(err, result)
    if pending and pending.id == id then
      pending = nil
    end
    local items = result and (result.items or result) or {}
    too_early = not err and #items == 0 and status.last().busy and here or nil
    if #items > 0 and here == place() and vim.startswith(api.nvim_get_mode().mode, 'i') then
      show(client, items, 1)
      if take_rest() then
        asked_tick = api.nvim_buf_get_changedtick(0)
        ask(AUTOMATIC)
      end
    end
  end, api.nvim_get_current_buf())
  if sent then
    pending = { client = client, id = id, place = here }
  end
  return sent
end

local function update()
  local tick = api.nvim_buf_get_changedtick(0)
  local left = shown and offer.remaining(shown)
  if shown and left then -- the user types along, or deletes some of it again
    asked_tick = tick
    draw(shown, left)
    return
  end
  hide()
  if pending and pending.place == place() then
    return
  end
  cancel()
  if tick ~= asked_tick and ask(AUTOMATIC) then
    asked_tick = tick
  end
end

--- Requests again, once, if the server has become ready since the last request.
local function catch_up()
  local now = status.last()
  if now.busy or now.kind ~= 'Normal' then
    return
  end
  local again = too_early == place() and not shown and not pending
  too_early = nil
  if again then
    ask(AUTOMATIC)
  end
end

--- Where a line stands already, the request waits until something is typed there: of the answers to requests at a new
--- place 4 in 10 began wrong, and a call saved a fifth of what one at a typed key saves (docs/comparison.md).
local function enter()
  asked_tick = api.nvim_buf_get_changedtick(0)
  vim.schedule(function()
    if not api.nvim_get_current_line():find('%S') then
      asked_tick = nil
    end
    update()
  end)
end

local function leave()
  hide()
  cancel()
  accepted = nil
  asked_tick = nil
end

--- Each action returns whether there was something to do.
---@param part llm_lsp.Part
function M.accept(part)
  local is_taken = take(part)
  -- Right behind an accepted text, more of its line may be coming.
  local is_coming = accepted == place() and (pending ~= nil or asked_tick ~= api.nvim_buf_get_changedtick(0))
  if not is_taken and not is_coming then
    return false
  end
  local wait_ms = (vim.g.llm_lsp or {}).wait_ms or WAIT_MS
  wanted_until = (part == 'line' or not is_taken) and not shown and vim.uv.now() + wait_ms or nil
  return true
end

--- Says whether a ghost text is visible.
function M.is_visible()
  return shown ~= nil
end

function M.dismiss()
  local had = shown ~= nil or pending ~= nil
  hide()
  cancel()
  return had
end

--- Shows another answer; after the last one, requests more; before the first one, does nothing.
---@param count integer how many answers further; negative for back
function M.select(count)
  local index = shown and shown.index + count or 1
  if shown and shown.items[index] then
    show(shown.client, shown.items, index)
    return true
  end
  if count < 0 then
    return shown ~= nil
  end
  return M.request()
end

--- Makes a manual request.
function M.request()
  return ask(INVOKED)
end

--- Neovim's default NonText has no colour in 256-colour terminals, so ghost text would look like real text.
local function choose_colour()
  local base = api.nvim_get_hl(0, { name = 'NonText', link = false })
  api.nvim_set_hl(0, 'LlmLspGhost', { default = true, fg = base.fg, ctermfg = base.ctermfg or 8 })
end

function M.setup()
  local group = api.nvim_create_augroup('llm-lsp', {})
  choose_colour()
  api.nvim_create_autocmd('ColorScheme', { group = group, callback = choose_colour })
  local function watch(buf)
    local function on(events, callback)
      api.nvim_create_autocmd(events, { group = group, buffer = buf, callback = callback })
    end
    api.nvim_clear_autocmds({ group = group, buffer = buf })
    on({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, update)
    on('InsertEnter', enter)
    on({ 'InsertLeave', 'BufLeave' }, leave)
  end
  api.nvim_create_autocmd('User', { group = group, pattern = 'LlmLspStatus', callback = catch_up })
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
        vim.schedule(update) -- the user may have typed before the server was ready
      else
        leave()
        api.nvim_clear_autocmds({ group = group, buffer = event.buf })
      end
    end,
  })
end

return M
