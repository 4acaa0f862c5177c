--- Attaches the server to buffers that Neovim does not report by itself: renamed and unnamed ones.
local M = {}

local NAME = 'llm_lsp'

local function client()
  return vim.lsp.get_clients({ name = NAME })[1]
end

local function attached(buffer)
  return vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
end

--- Attaches the server to a buffer without a name. All of these have the same URI, so only one is attached at a time.
local function attach_unnamed(buffer)
  if vim.bo[buffer].buftype ~= '' or vim.api.nvim_buf_get_name(buffer) ~= '' or attached(buffer) then
    return
  end
  for _, other in ipairs(vim.api.nvim_list_bufs()) do
    local there = vim.api.nvim_buf_get_name(other) == '' and attached(other)
    if there then
      vim.lsp.buf_detach_client(other, there.id)
    end
  end
  vim.lsp.start(vim.lsp.config[NAME], { bufnr = buffer })
end

function M.setup()
  local group = vim.api.nvim_create_augroup('llm_lsp_buffers', {})
  local renamed = {}
  vim.api.nvim_create_autocmd('InsertEnter', {
    group = group,
    callback = function(event)
      attach_unnamed(event.buf)
    end,
  })
  -- Neovim tells a server of a new name only when the buffer is saved; until then every request names an unknown document.
  vim.api.nvim_create_autocmd('BufFilePre', {
    group = group,
    callback = function(event)
      local there = attached(event.buf)
      if there then
        renamed[event.buf] = true
        vim.lsp.buf_detach_client(event.buf, there.id)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufFilePost', {
    group = group,
    callback = function(event)
      local running = client()
      if renamed[event.buf] and running then
        vim.lsp.buf_attach_client(event.buf, running.id)
      end
      renamed[event.buf] = nil
    end,
  })
end

return M
