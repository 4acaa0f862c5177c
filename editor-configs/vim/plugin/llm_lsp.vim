vim9script
# llm-lsp in Vim 9.0.185 and later: ghost text while you type, without another plugin.
# This file: ~/.vim/plugin/llm_lsp.vim. The two settings here and the keys at its end are yours to change.
if !has('patch-9.0.0185') || !has('channel') || exists('g:loaded_llm_lsp')
  finish
endif
g:loaded_llm_lsp = true

const COMMAND = ['llm-lsp', 'server']
# What stands here wins over config.toml; every key: docs/settings.md. For example:
# const SETTINGS = {completion: {trigger: 'manual', multiline: 'never'}}
const SETTINGS = {}

const INVOKED = 1 # InlineCompletionTriggerKind, LSP 3.18
const AUTOMATIC = 2
const N_STARTS = 3 # a server that ends by itself is started again, but not for ever

highlight default link LlmLspGhost NonText
prop_type_add('LlmLspGhost', {highlight: 'LlmLspGhost'})

var server: channel
var is_ready = false
var n_starts = 0
var versions: dict<number> = {} # by buffer, of the texts that the server knows
var pending = {} # the question under way: its id, and the place that it was asked for
var asked_tick = -1
# The text on the screen: where it begins, the rest of the line, and the end of that which is kept.
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
enddef

def OnExit(_: job, _: number)
  Hide()
  is_ready = false
  versions = {}
  pending = {}
enddef

def OnMessage(_: channel, message: dict<any>)
  if get(message, 'method', '') == 'window/showMessage'
    echomsg 'llm-lsp: ' .. message.params.message
  elseif has_key(message, 'method') && has_key(message, 'id') # no capability of ours invites a question
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

# Gives the server the buffer's text, if it has changed.
def Sync()
  var tick = b:changedtick
  var known = get(versions, bufnr(), -1)
  if tick == known
    return
  endif
  versions[bufnr()] = tick
  var text = join(getline(1, '$'), "\n") .. "\n"
  var document = {uri: Uri(expand('%')), version: tick}
  if known == -1
    Notify('textDocument/didOpen', {textDocument: extend(document, {languageId: &filetype, text: text})})
  else
    Notify('textDocument/didChange', {textDocument: document, contentChanges: [{text: text}]})
  endif
enddef

def Close(buffer: number)
  if has_key(versions, buffer) && is_ready
    Notify('textDocument/didClose', {textDocument: {uri: Uri(bufname(buffer))}})
    remove(versions, buffer)
  endif
enddef

# The ghost text

def Place(): list<number>
  return [bufnr(), b:changedtick, line('.'), col('.')]
enddef

# What is left of the shown text; '' where the user went another way.
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

# Vim's virtual text cannot cover text: the rest of a line stays where it is, and what is kept of it is shown
# again at the end of several lines.
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
    Draw(left)
  endif
enddef

def Ask(kind: number)
  Cancel()
  if !is_ready || mode() !~ '^i' || &buftype != '' || empty(bufname()) || !empty(reg_executing())
    return
  endif
  Sync()
  var params = {
    textDocument: {uri: Uri(expand('%'))},
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
  timer_start(0, (_) => Update()) # InsertEnter comes before the cursor is where it will be
enddef

def Leave()
  Hide()
  Cancel()
  asked_tick = -1
enddef

# The actions; each says whether there was something to do.

const PARTS = {
  All: '^\_.*',
  Line: '^\n*[^\n]*',
  Word: '^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)',
}

def Accept(part: string): bool
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
  &g:undolevels = &g:undolevels # ends the undo step of what was typed (:help undo-break)
  var first = line('.')
  setline(first, lines[0])
  append(first, lines[1 : ])
  cursor(first + len(lines) - 1, last + 1)
  if !all
    Draw(Remaining())
    return true
  endif
  Hide()
  if !empty(command)
    var params = {command: command.command, arguments: get(command, 'arguments', [])}
    ch_sendexpr(server, {method: 'workspace/executeCommand', params: params}, {callback: (_, _) => 0})
  endif
  return true
enddef

def Dismiss(): bool
  var had = !empty(shown) || !empty(pending)
  Hide()
  Cancel()
  return had
enddef

# Shows the next answer; where the server gave no more, asks as the user's own wish.
def Next(): bool
  if !empty(shown) && shown.index + 1 < len(shown.items)
    Show(shown.items, shown.index + 1)
  else
    Ask(INVOKED)
  endif
  return true
enddef

const ACTIONS = {
  accept: () => Accept('All'),
  accept_line: () => Accept('Line'),
  accept_word: () => Accept('Word'),
  dismiss: Dismiss,
  next: Next,
}

var formers: dict<dict<any>> = {} # what an action's key meant before we took it

# Runs an action; a key with nothing to do means what it meant before.
def Do(action: string, key: string)
  var former = formers[action]
  if ACTIONS[action]()
    return
  elseif empty(former)
    feedkeys(key, 'in')
    return
  endif
  var rhs = substitute(former.rhs, '<SID>', printf('<SNR>%d_', former.sid), 'g')
  var keys = former.expr ? eval(rhs) : substitute(rhs, '<[^<>]\+>', (m) => eval('"\' .. m[0] .. '"'), 'g')
  feedkeys(keys, former.noremap ? 'in' : 'im')
enddef

def Map(key: string, action: string)
  formers[action] = maparg(key, 'i', false, true)
  execute 'inoremap' key $'<ScriptCmd>Do("{action}", "{key}")<CR>'
enddef

augroup llm_lsp
  autocmd!
  autocmd InsertEnter * Enter()
  autocmd TextChangedI,TextChangedP,CursorMovedI * Update()
  autocmd InsertLeave,BufLeave * Leave()
  autocmd BufDelete * Close(str2nr(expand('<abuf>')))
augroup END

# The keys

Map('<Tab>', 'accept')
Map('<C-F>', 'accept_word')
Map('<C-L>', 'accept_line')
Map('<C-]>', 'dismiss')
Map('<C-B>', 'next') # the next answer; where there is none, asks for one
