-- llm-lsp in Neovim 0.11 and later: ghost text while you type.
-- This file: plugin/llm_lsp.lua in Neovim's configuration folder. Beside it: lua/llm_lsp.lua.
local llm = require('llm_lsp')

vim.lsp.config('llm_lsp', {
  cmd = { 'llm-lsp', 'server' },
  root_markers = { '.git' },
  capabilities = llm.capabilities,
  handlers = llm.handlers,
  settings = {
    ['llm-lsp'] = { -- what stands here wins over config.toml; every key: docs/settings.md
      -- completion = { trigger = 'manual', multiline = 'never' },
    },
  },
})
vim.lsp.enable('llm_lsp')

-- Neovim 0.12 has ghost text of its own. With native = false ours is used there too: accepting word by
-- word is then without a pause, and <M-n> asks for another answer.
llm.setup({ native = vim.lsp.inline_completion ~= nil })

-- A key whose action finds nothing to do means what it meant before.
llm.map('<Tab>', 'accept')
llm.map('<M-w>', 'accept_word')
llm.map('<M-l>', 'accept_line')
llm.map('<M-e>', 'dismiss')
llm.map('<M-n>', 'next') -- the next answer; where there is none, asks for one

-- For the status line: vim.o.statusline = '%f %m%=%{v:lua.require("llm_lsp").status()}'
