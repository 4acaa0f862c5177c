---@brief
---
--- Code completion from any model, on this machine or behind an API.
---
--- It needs no configuration: a model server that runs here is found, else one is run.
--- Ghost text needs `:help lsp-inline-completion` (Neovim 0.12).

---@type vim.lsp.Config
return {
  cmd = { 'llm-lsp', 'server' },
  root_markers = { '.git' },
}
