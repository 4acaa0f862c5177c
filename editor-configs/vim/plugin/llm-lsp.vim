vim9script
# llm-lsp in Vim 9.0.185 and later: ghost text while you type, without another plugin.
# Settings go into your vimrc, never into this file: see `:help llm-lsp`.
if !has('patch-9.0.0185') || !has('channel') || exists('g:loaded_llm_lsp')
  finish
endif
g:loaded_llm_lsp = true
import '../import/edit.vim'
import '../import/keymap.vim'

const COMMAND: list<string> = get(g:, 'llm_lsp_command', ['llm-lsp', 'server'])
const SETTINGS: dict<any> = get(g:, 'llm_lsp_settings', {})
const WAIT_MS: number = get(g:, 'llm_lsp_wait_ms', 300) # for the rest of an accepted line
const KEYS: dict<string> = extend({
  accept: '<Tab>', accept_word: '<C-F>', accept_line: '<C-L>', dismiss: '<C-]>', next: '<C-B>',
  accept_edit: '<Tab>', dismiss_edit: '<Esc>',
}, get(g:, 'llm_lsp_keys', {}))

const INVOKED = 1 # InlineCompletionTriggerKind, LSP 3.18
const AUTOMATIC = 2
const N_STARTS = 3 # a server that ends unexpectedly is restarted this many times

highlight default LlmLspGhost ctermfg=8 guifg=Grey50
prop_type_add('LlmLspGhost', {highlight: 'LlmLspGhost'})

var server: channel
var is_ready = false
var status: dict<any> = {} # the server's last reported status
var n_starts = 0
var is_restarting = false
var documents: dict<dict<any>> = {} # by buffer: name, language and version of the text that the server has
var pending = {} # the pending request: its id, and the place it was made for
var asked_tick = -1
var accepted: list<number> = [] # the place behind the last accepted text
var wanted_at: list<any> = [] # since when the rest of the line behind it is inserted as it comes; empty if it is not
# The shown text: where it begins, the rest of the line, and the end of that rest which is kept.
var shown = {}

# The server

def Start()
  if n_starts == N_STARTS || !executable(COMMAND[0])
    return
  endif
  n_starts += 1
  var job = job_start(COMMAND, {in_mode: 'lsp', out_mode: 'lsp', err_io: 'null', noblock: 1,
    callback: OnMessage, exit_cb: OnExit})
  server = job_getchannel(job)
  var params = {
    processId: getpid(), rootUri: Uri(getcwd()), clientInfo: {name: 'Vim', version: string(v:versionlong)},
    workspaceFolders: [{uri: Uri(getcwd()), name: fnamemodify(getcwd(), ':t')}],
    initializationOptions: SETTINGS,
    capabilities: {
      general: {positionEncodings: ['utf-8']}, # so that a column is a byte, as in Vim
      textDocument: {inlineCompletion: {dynamicRegistration: false}},
    },
  }
  ch_sendexpr(server, {method: 'initialize', params: params}, {callback: OnInitialized})
enddef

def Notify(method: string, params: dict<any>)
  ch_sendexpr(server, {method: method, params: params})
enddef

def OnInitialized(_: channel, _: dict<any>)
  Notify('initialized', {})
  is_ready = true
  asked_tick = -1 # no request has been made for what was typed until now
  Update()
  Open()
enddef

def OnExit(_: job, _: number)
  Hide()
  is_ready = false
  documents = {}
  pending = {}
  if is_restarting
    is_restarting = false
    Start()
  endif
enddef

def OnMessage(_: channel, message: dict<any>)
  if get(message, 'method', '') == 'window/showMessage'
    echomsg 'llm-lsp: ' .. message.params.message
  elseif get(message, 'method', '') == 'llm-lsp/status'
    status = message.params
    redrawstatus!
  elseif has_key(message, 'method') && has_key(message, 'id') # no capability of ours makes the server send requests
    ch_sendexpr(server, {id: message.id, error: {code: -32601, message: 'not supported'}})
  endif
enddef

def Uri(path: string): string
  var uri = ''
  var full = fnamemodify(path, ':p')
  for index in range(strlen(full))
    var byte = strpart(full, index, 1)
    uri ..= byte =~ '^[A-Za-z0-9/._~-]$' ? byte : printf('%%%02X', char2nr(byte))
  endfor
  return 'file://' .. uri
enddef

# The document name of a buffer: its file, or its number if it has none yet.
def BufferUri(buffer: number): string
  return empty(bufname(buffer)) ? $'untitled:Untitled-{buffer}' : Uri(bufname(buffer))
enddef

# Sends the buffer's text, if it has changed. A buffer with another name or filetype is another document.
def Sync()
  var tick = b:changedtick
  var uri = BufferUri(bufnr())
  var known = get(documents, bufnr(), {})
  if !empty(known) && (known.uri != uri || known.language != &filetype)
    Close(bufnr())
    known = {}
  endif
  if get(known, 'version', -1) == tick
    return
  endif
  documents[bufnr()] = {uri: uri, language: &filetype, version: tick}
  var text = join(getline(1, '$'), "\n") .. "\n"
  var document = {uri: uri, version: tick}
  if empty(known)
    Notify('textDocument/didOpen', {textDocument: extend(document, {languageId: &filetype, text: text})})
  else
    Notify('textDocument/didChange', {textDocument: document, contentChanges: [{text: text}]})
  endif
enddef

# Sends the buffer's text before its first change, which a next edit follows from.
def Open()
  if is_ready && &buftype == '' && &modifiable && !has_key(documents, bufnr())
    Sync()
  endif
enddef

def Close(buffer: number)
  if has_key(documents, buffer) && is_ready
    Notify('textDocument/didClose', {textDocument: {uri: documents[buffer].uri}})
    remove(documents, buffer)
  endif
enddef

def Execute(name: string, arguments: list<any>, OnResult: func)
  var params = {command: name, arguments: arguments}
  ch_sendexpr(server, {method: 'workspace/executeCommand', params: params}, {
    callback: (_, answer) => OnResult(has_key(answer, 'error') ? answer.error.message : get(answer, 'result', v:null)),
  })
enddef

# The ghost text

def Place(): list<number>
  return [bufnr(), b:changedtick, line('.'), col('.')]
enddef

# Returns the rest of the shown text; '' if the user typed something else.
def Remaining(): string
  if empty(shown) || shown.buffer != bufnr() || line('.') < shown.line || shown.line > line('$')
    return ''
  endif
  var lines = getline(shown.line, '.')
  lines[-1] = strpart(lines[-1], 0, col('.') - 1)
  if strlen(lines[0]) < shown.start || strpart(getline('.'), col('.') - 1) !=# shown.rest
    return ''
  endif
  lines[0] = strpart(lines[0], shown.start)
  var typed = join(lines, "\n")
  return stridx(shown.text, typed) == 0 ? strpart(shown.text, strlen(typed)) : ''
enddef

def Hide()
  if !empty(shown) && bufexists(shown.buffer)
    prop_remove({type: 'LlmLspGhost', bufnr: shown.buffer, all: true})
  endif
  shown = {}
enddef

def Cancel()
  if !empty(pending) && is_ready
    Notify('$/cancelRequest', {id: pending.id})
  endif
  pending = {}
enddef

# Vim's virtual text cannot cover text. So the rest of a line stays visible, and what is kept of it is shown again at
# the end of several lines.
def Draw(left: string)
  prop_remove({type: 'LlmLspGhost', bufnr: shown.buffer, all: true})
  var lines = split(substitute(left .. shown.kept, "\t", repeat(' ', &tabstop), 'g'), "\n", 1)
  if len(lines) == 1 && strpart(lines[0], strlen(lines[0]) - strlen(shown.rest)) ==# shown.rest
    lines[0] = strpart(lines[0], 0, strlen(lines[0]) - strlen(shown.rest))
  endif
  if !empty(lines[0])
    prop_add(line('.'), col('.'), {type: 'LlmLspGhost', text: lines[0]})
  endif
  for text in lines[1 : ]
    prop_add(line('.'), 0, {type: 'LlmLspGhost', text: empty(text) ? ' ' : text, text_align: 'below'})
  endfor
enddef

def Show(items: list<dict<any>>, index: number)
  Hide()
  var item = items[index]
  var start = col('.') - 1
  var stop = start
  if has_key(item, 'range')
    start = item.range.start.character
    stop = max([stop, item.range.end.character])
  endif
  shown = {
    buffer: bufnr(), line: line('.'), start: start,
    text: substitute(item.insertText, '\r\n\?', '\n', 'g'),
    rest: strpart(getline('.'), col('.') - 1), kept: strpart(getline('.'), stop),
    command: get(item, 'command', {}), items: items, index: index,
  }
  var left = Remaining()
  if empty(left)
    shown = {}
  else
    edit.Hide()
    Draw(left)
  endif
enddef

def Ask(kind: number)
  Cancel()
  if !is_ready || mode() !~ '^i' || &buftype != '' || !empty(reg_executing())
    return
  endif
  Sync()
  var params = {
    textDocument: {uri: BufferUri(bufnr())},
    position: {line: line('.') - 1, character: col('.') - 1},
    context: {triggerKind: kind},
  }
  var place = Place()
  var sent = ch_sendexpr(server, {method: 'textDocument/inlineCompletion', params: params},
    {callback: (_, answer) => OnAnswer(place, answer)})
  pending = {id: sent.id, place: place}
enddef

def OnAnswer(place: list<number>, answer: dict<any>)
  if get(pending, 'id', -1) == get(answer, 'id', -2)
    pending = {}
  endif
  var result = get(answer, 'result', v:null)
  var items = type(result) == v:t_dict ? result.items : result
  if place == Place() && mode() =~ '^i' && type(items) == v:t_list && !empty(items)
    Show(items, 0)
    TakeRest()
  endif
enddef

# Inserts the rest of an accepted line, if it has just come and is still wanted.
def TakeRest()
  var left = Remaining()
  var is_wanted = !empty(wanted_at) && accepted == Place() && 1000 * reltimefloat(reltime(wanted_at)) <= WAIT_MS
  if !is_wanted || empty(left) || left[0] == "\n" || !Take('Line') || !empty(shown)
    wanted_at = []
  else
    Update() # more of it may follow
  endif
enddef

def Update()
  var left = Remaining()
  if !empty(left)
    asked_tick = b:changedtick
    Draw(left)
    return
  endif
  Hide()
  if !empty(pending) && pending.place == Place()
    return
  endif
  Cancel()
  if asked_tick != b:changedtick
    asked_tick = b:changedtick
    Ask(AUTOMATIC)
  endif
enddef

def Enter()
  if !is_ready && (server == null_channel || ch_status(server) != 'open')
    Start()
  endif
  asked_tick = b:changedtick
  timer_start(0, (_) => Entered()) # InsertEnter comes before the cursor has moved
enddef

# Where a line stands already, the request waits until something is typed there: of the answers to requests at a new
# place 4 in 10 began wrong, and a call saved a fifth of what one at a typed key saves (docs/comparison.md).
def Entered()
  if getline('.') !~ '\S'
    asked_tick = -1
  endif
  Update()
enddef

def Leave()
  Hide()
  Cancel()
  accepted = []
  asked_tick = -1
enddef

# Undo restores ghost text together with its line.
def OnUndo()
  if has_key(documents, bufnr()) && line("'[") > 0
    prop_remove({type: 'LlmLspGhost', all: true}, line("'["), max([line("'["), line("']")]))
  endif
enddef

# The actions; each returns whether there was something to do.

const PARTS = {
  All: '^\_.*',
  Line: '^\n*[^\n]*',
  Word: '^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)',
}

def Accept(part: string): bool
  var is_taken = Take(part)
  # Right behind an accepted text, more of its line may be coming.
  var is_coming = accepted == Place() && (!empty(pending) || asked_tick != b:changedtick)
  if !is_taken && !is_coming
    return false
  endif
  wanted_at = (part == 'Line' || !is_taken) && empty(shown) ? reltime() : []
  return true
enddef

# Inserts a part of the shown text.
def Take(part: string): bool
  var left = Remaining()
  if empty(left)
    return false
  endif
  var taken = matchstr(left, PARTS[part]) ?? left
  var all = taken ==# left
  var before = strpart(getline('.'), 0, col('.') - 1)
  var lines = split(before .. taken, "\n", 1)
  var last = strlen(lines[-1])
  lines[-1] ..= all ? shown.kept : shown.rest
  var command = shown.command
  prop_remove({type: 'LlmLspGhost', all: true})
  &g:undolevels = &g:undolevels # ends the undo step of what was typed (:help undo-break)
  var first = line('.')
  setline(first, lines[0])
  append(first, lines[1 : ])
  cursor(first + len(lines) - 1, last + 1)
  accepted = Place()
  if !all
    Draw(Remaining())
    return true
  endif
  Hide()
  if !empty(command)
    Execute(command.command, get(command, 'arguments', []), (_) => 0)
  endif
  return true
enddef

# A question about the place of the cursor, in insert or normal mode.
def AskHere(method: string, OnResult: func(any))
  if !is_ready || mode() !~ '^[in]' || &buftype != '' || !empty(reg_executing()) || !has_key(documents, bufnr())
    return
  endif
  Sync()
  var params = {
    textDocument: {uri: BufferUri(bufnr()), version: documents[bufnr()].version},
    position: {line: line('.') - 1, character: col('.') - 1},
  }
  ch_sendexpr(server, {method: method, params: params}, {callback: (_, answer) => OnResult(get(answer, 'result', v:null))})
enddef

def Dismiss(): bool
  var had = !empty(shown) || !empty(pending)
  Hide()
  Cancel()
  return had
enddef

# Shows another answer; after the last one, requests more; before the first one, does nothing.
def Select(count: number): bool
  var index = empty(shown) ? -1 : shown.index + count
  if index >= 0 && index < len(shown.items)
    Show(shown.items, index)
  elseif count > 0
    Ask(INVOKED)
  endif
  return count > 0 || !empty(shown)
enddef

# Makes a manual request.
def Request(): bool
  Ask(INVOKED)
  return true
enddef

const ACTIONS = {
  accept: () => Accept('All') || edit.Accept(),
  accept_line: () => Accept('Line'),
  accept_word: () => Accept('Word'),
  dismiss: () => edit.Dismiss() || Dismiss(),
  next: () => Select(1),
  previous: () => Select(-1),
  request: Request,
}

augroup llm_lsp
  autocmd!
  autocmd InsertEnter * Enter()
  autocmd TextChangedI,TextChangedP,CursorMovedI * Update()
  autocmd InsertLeave,BufLeave * Leave()
  autocmd BufWinEnter,FileType * Open()
  autocmd TextChanged * OnUndo()
  autocmd BufDelete,BufWipeout * Close(str2nr(expand('<abuf>')))
  autocmd BufFilePost * Close(str2nr(expand('<abuf>')))
augroup END

if get(g:, 'llm_lsp_edits', true)
  edit.Setup({
    Ask: AskHere,
    Execute: (name, arguments) => Execute(name, arguments, (_) => 0),
    IsComplete: () => !empty(Remaining()),
    keys: {Accept: KEYS.accept_edit, Dismiss: KEYS.dismiss_edit},
  })
endif

# The server's commands, and its status

def ShowExplanation(text: string)
  new
  setlocal buftype=nofile bufhidden=wipe filetype=markdown
  setline(1, split(text, "\n", 1))
  setlocal nomodifiable
enddef

def Tell(what: any)
  if type(what) == v:t_string
    echomsg what
  endif
enddef

def Snooze(minutes: string)
  if minutes !~ '^\d*\.\?\d*$' || minutes == '.'
    echoerr $'llm-lsp: snooze needs a number of minutes, not "{minutes}"'
  else
    Execute('llm-lsp.snooze', empty(minutes) ? [] : [str2float(minutes)], Tell)
  endif
enddef

# The names that `provider` takes; empty while the server is not running.
def ProviderNames(): list<string>
  if !is_ready
    return []
  endif
  var params = {command: 'llm-lsp.providers', arguments: []}
  var answer = ch_evalexpr(server, {method: 'workspace/executeCommand', params: params}, {timeout: 1000})
  var names = type(answer) == v:t_dict ? get(answer, 'result', []) : []
  return type(names) == v:t_list ? names : []
enddef

def Choose(names: list<string>, title: string, OnChoice: func(string))
  popup_menu(names, {title: $' {title} ', callback: (_, index) => {
    if index > 0
      OnChoice(names[index - 1])
    endif
  }})
enddef

def SelectProvider(name: string)
  if empty(name)
    Choose(ProviderNames(), 'Provider', SelectProvider)
  else
    Execute('llm-lsp.selectProvider', [name], Tell)
  endif
enddef

def Restart()
  n_starts = 0
  if server != null_channel && ch_status(server) == 'open'
    is_restarting = true # once this one has ended
    var old = ch_getjob(server)
    ch_sendexpr(server, {method: 'shutdown', params: {}}, {callback: (_, _) => Notify('exit', {})})
    timer_start(3000, (_) => job_stop(old, 'kill'))
  else
    Start()
  endif
enddef

const COMMANDS = {
  explain: (_) => Execute('llm-lsp.explain', [], ShowExplanation),
  provider: SelectProvider,
  restart: (_) => Restart(),
  snooze: Snooze,
  toggle: (_) => Execute('llm-lsp.toggle', [], (on) => Tell($'llm-lsp is {on ? "on" : "off"}')),
}

def Run(name = '', argument = '')
  if empty(name)
    Choose(sort(keys(COMMANDS)), 'llm-lsp', (chosen) => Run(chosen))
  elseif !has_key(COMMANDS, name)
    echoerr 'llm-lsp has no command' name
  elseif !is_ready && name != 'restart'
    echoerr 'llm-lsp is not running: it starts with the first insertion'
  else
    COMMANDS[name](argument)
  endif
enddef

command -nargs=* -complete=custom,CommandNames LlmLsp Run(<f-args>)

def CommandNames(_: string, line: string, _: number): string
  var after = matchstr(line, '\<LlmLsp\s\+\zs\S\+\ze\s')
  var names = empty(after) ? sort(keys(COMMANDS)) : after == 'provider' ? ProviderNames() : []
  return join(names, "\n")
enddef

def g:LlmLspStatus(): string
  var kind = get(status, 'kind', '')
  if !is_ready
    return ''
  elseif kind == 'Error' || kind == 'Warning'
    return 'llm! ' .. get(status, 'message', '')
  elseif kind == 'Inactive'
    return 'llm off'
  endif
  return get(status, 'busy', false) ? 'llm…' : 'llm'
enddef

# The keys

for action in keys(ACTIONS)
  execute $'inoremap <Plug>(llm-lsp-{substitute(action, "_", "-", "g")}) <ScriptCmd>ACTIONS.{action}()<CR>'
endfor
for [action, key] in items(KEYS)
  if !empty(key) && has_key(ACTIONS, action)
    keymap.Map(key, ACTIONS[action])
  endif
endfor
