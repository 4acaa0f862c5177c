--- `:LlmLsp`: the server's commands from the command line.
local M = {}

---@param name string
---@param arguments any[]
---@param on_result? fun(result: any)
local function execute(name, arguments, on_result)
  local client = vim.lsp.get_clients({ name = 'llm_lsp' })[1]
  if not client then
    vim.notify('llm-lsp is not running: see :checkhealth llm-lsp', vim.log.levels.WARN)
    return
  end
  local command = { title = '', command = 'llm-lsp.' .. name, arguments = arguments }
  client:exec_cmd(command, {}, function(err, result)
    if err then
      vim.notify('llm-lsp: ' .. err.message, vim.log.levels.ERROR)
    elseif on_result then
      on_result(result)
    end
  end)
end

---@param minutes? string
local function snooze(minutes)
  local number = tonumber(minutes)
  if minutes and not (number and number >= 0 and number < math.huge) then
    vim.notify(('llm-lsp: snooze needs a number of minutes, not "%s"'):format(minutes), vim.log.levels.ERROR)
    return
  end
  execute('snooze', { number })
end

---@return string[] the names that `provider` takes; empty while the server does not run
local function provider_names()
  local client = vim.lsp.get_clients({ name = 'llm_lsp' })[1]
  local params = { command = 'llm-lsp.providers', arguments = {} }
  local answer = client and client:request_sync('workspace/executeCommand', params, 1000)
  return answer and answer.result or {}
end

--- Lets the user choose one; `vim.ui.select` is what a picker replaces.
---@param names string[]
---@param prompt string
---@param on_choice fun(name: string)
local function choose(names, prompt, on_choice)
  vim.ui.select(names, { prompt = prompt }, function(name)
    if name then
      on_choice(name)
    end
  end)
end

local function restart()
  local deadline = vim.uv.now() + 3000
  local function start_when_ended()
    local clients = vim.lsp.get_clients({ name = 'llm_lsp' })
    if #clients == 0 then
      vim.lsp.enable('llm_lsp')
      return
    end
    if vim.uv.now() > deadline then
      for _, client in ipairs(clients) do
        client:stop(true)
      end
    end
    vim.defer_fn(start_when_ended, 50)
  end
  vim.lsp.enable('llm_lsp', false)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'llm_lsp' })) do
    client:stop()
  end
  start_when_ended()
end

local function show_explanation(text)
  vim.cmd.new()
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.filetype = 'nofile', 'wipe', 'markdown'
  vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(text, '\n'))
  vim.bo.modifiable = false
end

--- Asks for an instruction, and shows what it makes of the lines.
---@param instruction? string
---@param range { [1]: integer, [2]: integer } the first line and the last, 1-based
local function rewrite(instruction, range)
  local function start(wanted)
    if wanted and wanted:match('%S') then
      require('llm-lsp.rewrite').start(wanted, range[1] - 1, range[2], execute)
    end
  end
  if instruction then
    start(instruction)
  else
    vim.ui.input({ prompt = 'Rewrite: ' }, start)
  end
end

--- Writes a message for what is staged above the first line of the buffer.
local function commit()
  local client = vim.lsp.get_clients({ name = 'llm_lsp' })[1]
  local folder = client and client.workspace_folders and client.workspace_folders[1]
  if not folder then
    vim.notify('llm-lsp: no workspace folder is open', vim.log.levels.WARN)
    return
  end
  local buf = vim.api.nvim_get_current_buf()
  execute('commitMessage', { { folder = folder.uri } }, function(message)
    if vim.api.nvim_buf_is_valid(buf) and vim.bo[buf].modifiable then
      vim.api.nvim_buf_set_lines(buf, 0, 0, true, vim.split(message, '\n'))
    end
  end)
end

---@type table<string, fun(argument?: string, range: integer[])>
local COMMANDS = {
  accept = function()
    require('llm-lsp.rewrite').accept()
  end,
  commit = commit,
  discard = function()
    require('llm-lsp.rewrite').discard()
  end,
  rewrite = rewrite,
  explain = function()
    execute('explain', {}, show_explanation)
  end,
  provider = function(name)
    if name then
      execute('selectProvider', { name })
      return
    end
    choose(provider_names(), 'Provider', function(chosen)
      execute('selectProvider', { chosen })
    end)
  end,
  restart = restart,
  snooze = snooze,
  toggle = function()
    execute('toggle', {}, function(on)
      vim.notify('llm-lsp is ' .. (on and 'on' or 'off'))
    end)
  end,
}

local function names()
  return vim.fn.sort(vim.tbl_keys(COMMANDS))
end

local function complete(lead, line)
  local after = line:match('LlmLsp%s+(%S+)%s')
  local offered = not after and names() or after == 'provider' and provider_names() or {}
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, offered)
end

function M.create()
  vim.api.nvim_create_user_command('LlmLsp', function(call)
    local name, argument = unpack(call.fargs)
    local range = { call.line1, call.line2 }
    if name == 'rewrite' and #call.fargs > 2 then
      argument = table.concat(call.fargs, ' ', 2)
    end
    if not name then
      choose(names(), 'llm-lsp', function(chosen)
        COMMANDS[chosen](nil, range)
      end)
    elseif COMMANDS[name] then
      COMMANDS[name](argument, range)
    else
      vim.notify('llm-lsp has no command ' .. name, vim.log.levels.ERROR)
    end
  end, { nargs = '*', range = true, complete = complete, desc = 'llm-lsp: a menu, or one of its commands' })
end

return M
