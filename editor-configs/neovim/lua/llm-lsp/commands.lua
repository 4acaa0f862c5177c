--- `:LlmLsp`: the server's commands from the command line; shows no ghost text.
local M = {}

---@param name string
---@param arguments any[]
---@param on_result? fun(result: any)
local function execute(name, arguments, on_result)
  local client = vim.lsp.get_clients({ name = 'llm_lsp' })[1]
  if not client then
    vim.notify('llm-lsp does not run: see :checkhealth llm-lsp', vim.log.levels.WARN)
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

local function show_explanation(text)
  vim.cmd.new()
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.filetype = 'nofile', 'wipe', 'markdown'
  vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(text, '\n'))
  vim.bo.modifiable = false
end

---@type table<string, fun(argument: string)>
local COMMANDS = {
  explain = function()
    execute('explain', {}, show_explanation)
  end,
  provider = function(name)
    execute('selectProvider', { name })
  end,
  snooze = function(minutes)
    execute('snooze', { tonumber(minutes) })
  end,
  toggle = function()
    execute('toggle', {}, function(on)
      vim.notify('llm-lsp is ' .. (on and 'on' or 'off'))
    end)
  end,
}

local function complete(lead)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.fn.sort(vim.tbl_keys(COMMANDS)))
end

function M.create()
  vim.api.nvim_create_user_command('LlmLsp', function(call)
    local name, argument = unpack(call.fargs)
    if COMMANDS[name] then
      COMMANDS[name](argument)
    else
      vim.notify('llm-lsp has no command ' .. name, vim.log.levels.ERROR)
    end
  end, { nargs = '+', complete = complete, desc = 'llm-lsp: explain, provider NAME, snooze [MINUTES], toggle' })
end

return M
