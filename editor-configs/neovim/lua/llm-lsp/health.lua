--- `:checkhealth llm-lsp`: checks the installation and the server, and changes nothing.
local health = vim.health
local M = {}

local function check_neovim()
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('llm-lsp needs Neovim 0.11 or later, and this is ' .. tostring(vim.version()))
    return false
  end
  health.ok(('Neovim %s, with %s ghost text'):format(
    tostring(vim.version()),
    require('llm-lsp').is_native() and 'its own' or "this plugin's"
  ))
  return true
end

local function check_program()
  local program = vim.lsp.config.llm_lsp.cmd[1]
  if vim.fn.executable(program) == 1 then
    health.ok(('`%s` is %s'):format(program, vim.fn.exepath(program)))
    return true
  end
  health.error(("`%s` is not on Neovim's PATH"):format(program), {
    "Install it with pipx, and run `pipx ensurepath` once: it adds the folder with pipx's programs to the PATH",
    "Or name it in init.lua: vim.lsp.config('llm_lsp', { cmd = { '/path/to/llm-lsp', 'server' } })",
  })
  return false
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = 'llm_lsp' })
  if #clients == 0 and require('llm-lsp.status').is_starting() then
    health.info('The server is starting')
  elseif #clients == 0 then
    health.warn('The server does not run', 'Open a file; then `:checkhealth vim.lsp` and `:LspLog` say more')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(('The server runs for %d buffer%s'):format(buffers, buffers == 1 and '' or 's'))
  end
  return #clients > 0
end

local function check_status()
  local status = require('llm-lsp.status').last()
  local model = status.model and status.model ~= '' and ('%s of %s'):format(status.model, status.provider) or nil
  if status.kind == 'Error' or status.kind == 'Warning' then
    health[status.kind == 'Error' and 'error' or 'warn'](status.message, 'Run `llm-lsp doctor` in a terminal')
  elseif status.kind == 'Inactive' then
    health.info('Completion is switched off: `:LlmLsp toggle`')
  elseif status.busy then
    health.info('The model is starting' .. (status.message ~= '' and ': ' .. status.message or ''))
  else
    health.ok(model and 'The model is ' .. model or 'The model is chosen at the first request')
  end
end

local function check_tab()
  local map = vim.fn.maparg('<Tab>', 'i', false, true)
  local wanted = (vim.g.llm_lsp or {}).keys
  if wanted == false or (wanted and wanted.accept ~= nil) or vim.startswith(map.desc or '', 'llm-lsp: ') then
    return
  end
  health.warn('<Tab> is mapped by something else, which was loaded later', {
    "Call require('llm-lsp').accept() there (:help llm-lsp-beside)",
    "Or choose another key: vim.g.llm_lsp = { keys = { accept = '<C-y>' } }",
  })
end

function M.check()
  health.start('llm-lsp')
  if check_neovim() and check_program() and check_clients() then
    check_status()
  end
  check_tab()
end

return M
