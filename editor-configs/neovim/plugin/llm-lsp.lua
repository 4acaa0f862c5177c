-- Starts llm-lsp; see `:help llm-lsp`. Settings go into init.lua, never into this file.
if vim.g.loaded_llm_lsp then
  return
end
vim.g.loaded_llm_lsp = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('llm-lsp needs Neovim 0.11 or later', vim.log.levels.WARN)
  return
end

vim.lsp.enable('llm_lsp')
require('llm-lsp.buffers').setup()
require('llm-lsp').setup(vim.g.llm_lsp or {})
require('llm-lsp.commands').create()
