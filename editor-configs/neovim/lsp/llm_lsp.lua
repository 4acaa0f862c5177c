---@type vim.lsp.Config
return {
  cmd = { 'llm-lsp', 'server' },
  root_markers = { '.git' },
  -- Neovim 0.11 does not say that it takes inline completion; a server then fills the menu instead.
  capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } },
  before_init = function()
    require('llm-lsp.status').starting()
  end,
  on_init = function()
    require('llm-lsp.status').started()
  end,
  on_exit = function()
    require('llm-lsp.status').started()
  end,
  handlers = {
    ['llm-lsp/status'] = function(...)
      require('llm-lsp.status').on_status(...)
    end,
  },
  settings = {
    ['llm-lsp'] = {}, -- every key: `:help llm-lsp-settings`
  },
}
