--- The actions on Neovim's own ghost text (0.12).
local offer = require('llm-lsp.offer')
local M = {}

local INVOKED = 1 -- InlineCompletionTriggerKind, LSP 3.18

function M.setup()
  vim.lsp.inline_completion.enable(true)
end

--- Neovim's own `get` would insert the text where the cursor was when the answer arrived; an offer also fits what was
--- typed since.
---@param part llm_lsp.Part
function M.accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local text = item.insert_text
      local start, stop
      if item.range then
        _, start, _, stop = item.range:to_extmark()
      end
      local placed = offer.placed(type(text) == 'table' and text.value or text, start, stop)
      local left = offer.remaining(placed)
      if left and offer.insert(placed, left, part) then
        offer.report(assert(vim.lsp.get_client_by_id(item.client_id)), item.command)
      end
    end,
  })
end

--- Says whether a ghost text is visible, as Neovim's own mark of it tells.
function M.is_visible()
  local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

function M.dismiss()
  return vim.lsp.inline_completion.get({ on_accept = function() end })
end

---@param count integer how many answers further; negative for back
function M.select(count)
  vim.lsp.inline_completion.select({ count = count })
  return true
end

--- Makes a manual request. Neovim 0.12.4 has no public function for it; an error shows if the private one was renamed.
function M.request()
  local found, capability = pcall(require, 'vim.lsp._capability')
  local active = found and vim.tbl_get(capability, 'all', 'inline_completion', 'active') or {}
  local completor = active[vim.api.nvim_get_current_buf()]
  if not completor or not completor.request then
    return false
  end
  completor:request(INVOKED)
  return true
end

return M
