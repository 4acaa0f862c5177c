vim9script
# Insert-mode keys that keep their earlier meaning if their action has nothing to do.

var actions: dict<func(): bool> = {}
var formers: dict<dict<any>> = {} # the earlier mappings of keys

export def Map(key: string, Action: func(): bool)
  actions[key] = Action
  formers[key] = maparg(key, 'i', false, true)
  execute 'inoremap' key $'<ScriptCmd>Press("{substitute(key, "<", "<lt>", "")}")<CR>'
enddef

def Press(key: string)
  var former = formers[key]
  if actions[key]() || get(former, 'rhs', '') ==? '<Nop>'
    return
  elseif empty(former)
    feedkeys(Typed(key), 'in')
    return
  endif
  var rhs = substitute(former.rhs, '<SID>', printf('<SNR>%d_', former.sid), 'g')
  feedkeys(former.expr ? eval(rhs) : Typed(rhs), former.noremap ? 'in' : 'im')
enddef

def Typed(keys: string): string
  return substitute(keys, '<[^<>]\+>', (match) => eval($'"\{match[0]}"'), 'g')
enddef
