vim9script
# Next edits: marks the one that follows from the last change, jumps to it, and applies it.

const METHOD = 'textDocument/copilotInlineEdit'
const WAIT_MS = 100 # from a change to the question, as Copilot's clients wait
const TYPES = ['LlmLspEditOld', 'LlmLspEditNew', 'LlmLspEditHint']

# What the plugin gives: Ask(method, OnResult) sends a question about the cursor, Execute(command) runs a command of the
# server's, and IsComplete() tells whether a completion is visible, which comes first.
var Ask: func(string, func(any))
var Execute: func(string, list<any>)
var IsComplete: func(): bool
var normal_keys: dict<string> = {} # of normal mode, by the action's name

var shown = {} # the edit: its buffer, line, what stands before and after it, the old text, the new one, its command
var marked: dict<bool> = {} # buffers with text properties, which undo can restore
var formers: dict<dict<any>> = {} # the user's own mappings of our keys
var n_questions = 0

export def Setup(given: dict<any>)
  Ask = given.Ask
  Execute = given.Execute
  IsComplete = given.IsComplete
  normal_keys = given.keys
  highlight default link LlmLspEditOld DiffDelete
  highlight default link LlmLspEditNew DiffAdd
  highlight default link LlmLspEditHint Comment
  for type in TYPES
    prop_type_add(type, {highlight: type})
  endfor
  augroup llm_lsp_edit
    autocmd!
    autocmd TextChanged,TextChangedI,TextChangedP,InsertLeave * Changed()
    autocmd CursorMoved,CursorMovedI,WinScrolled * Draw()
    autocmd BufLeave * Hide()
  augroup END
enddef

# Asks once the user pauses.
def Changed()
  if empty(shown)
    Clear(bufnr()) # undo restores marks together with their line
  endif
  Draw()
  n_questions += 1
  var mine = n_questions
  timer_start(WAIT_MS, (_) => {
    if mine == n_questions
      var place = [bufnr(), b:changedtick]
      Ask(METHOD, (result) => {
        if mine == n_questions && place == [bufnr(), b:changedtick]
          Show(type(result) == v:t_dict ? get(result, 'edits', []) : [])
        endif
      })
    endif
  })
enddef

# An edit of several lines is not marked: code actions have it.
def Show(edits: list<any>)
  Hide()
  if empty(edits) || IsComplete()
    return
  endif
  var [start, stop] = [edits[0].range.start, edits[0].range.end]
  var text = getline(start.line + 1)
  if start.line == stop.line && stop.character <= strlen(text) && stridx(edits[0].text, "\n") < 0
    shown = {
      buffer: bufnr(), line: start.line + 1, command: edits[0].command,
      before: strpart(text, 0, start.character), after: strpart(text, stop.character),
      old: strpart(text, start.character, stop.character - start.character), new: edits[0].text,
    }
    MapKeys()
    Draw()
  endif
enddef

# Returns whether a text is a beginning of the new one and then a piece of the old one that is not deleted yet.
def LeadsTo(text: string): bool
  for length in range(strlen(text), 0, -1)
    if stridx(shown.new, strpart(text, 0, length)) == 0 && stridx(shown.old, strpart(text, length)) >= 0
      return true
    endif
  endfor
  return false
enddef

# Returns the shown edit in the text as it is now; empty if something else was written there.
def Found(): dict<any>
  if empty(shown) || shown.buffer != bufnr()
    return {}
  endif
  var place = prop_find({type: 'LlmLspEditOld', lnum: 1, col: 1})
  var line = get(place, 'lnum', shown.line)
  var text = getline(line)
  var length = strlen(text) - strlen(shown.before) - strlen(shown.after)
  if length < 0 || stridx(text, shown.before) != 0
      || strpart(text, strlen(text) - strlen(shown.after)) !=# shown.after
    return {}
  endif
  var old = strpart(text, strlen(shown.before), length)
  return old ==# shown.new || !LeadsTo(old) ? {} : extend({line: line, old: old}, shown, 'keep')
enddef

def Clear(buffer: number)
  if has_key(marked, buffer) && bufexists(buffer)
    for type in TYPES
      prop_remove({type: type, bufnr: buffer, all: true})
    endfor
  endif
enddef

def Draw()
  var edit = Found()
  if empty(edit) || IsComplete()
    Hide()
    return
  endif
  Clear(edit.buffer)
  marked[edit.buffer] = true
  var column = strlen(edit.before) + 1
  prop_add(edit.line, column, {type: 'LlmLspEditOld', length: strlen(edit.old)})
  if !empty(edit.new)
    var new = substitute(edit.new, "\t", repeat(' ', &tabstop), 'g')
    prop_add(edit.line, column + strlen(edit.old), {type: 'LlmLspEditNew', text: new})
  endif
  if edit.line < line('w0') || edit.line > line('w$')
    var arrow = edit.line < line('.') ? '↑' : '↓'
    prop_add(line('.'), 0, {type: 'LlmLspEditHint', text: $' {arrow} next edit: line {edit.line}'})
  endif
enddef

export def Hide()
  if !empty(shown)
    Clear(shown.buffer)
    UnmapKeys()
    shown = {}
  endif
enddef

# Goes to the edit, or applies it if the cursor is in its line; returns whether there is one.
export def Accept(): bool
  var edit = Found()
  if empty(edit)
    Hide()
    return false
  endif
  var column = strlen(edit.before) + 1
  if line('.') != edit.line
    normal! m'
    cursor(edit.line, column)
    Draw()
    return true
  endif
  Hide()
  &g:undolevels = &g:undolevels # ends the undo step of what was typed (:help undo-break)
  setline(edit.line, edit.before .. edit.new .. edit.after)
  cursor(edit.line, column + strlen(edit.new))
  Execute(edit.command.command, edit.command.arguments)
  return true
enddef

# Takes the edit away for good; returns whether there was one.
export def Dismiss(): bool
  if empty(shown)
    return false
  endif
  var command = shown.command
  Hide()
  n_questions += 1
  Execute('llm-lsp.dismissed', command.arguments)
  return true
enddef

# In normal mode our keys are mapped only while an edit is marked.
def MapKeys()
  for [action, key] in items(normal_keys)
    if !empty(key)
      var former = maparg(key, 'n', false, true)
      formers[key] = get(former, 'buffer', 0) ? former : {}
      execute $'nnoremap <buffer> <nowait> {key} <ScriptCmd>{action}()<CR>'
    endif
  endfor
enddef

def UnmapKeys()
  if bufnr() != shown.buffer
    return # BufLeave comes before the buffer is left
  endif
  for [key, former] in items(formers)
    silent! execute $'nunmap <buffer> {key}'
    if !empty(former)
      mapset('n', false, former)
    endif
  endfor
  formers = {}
enddef
