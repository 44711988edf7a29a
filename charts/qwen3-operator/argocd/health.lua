-- Health of a Qwen3Deployment for Argo CD: docs/how-to/deploy-by-gitops.md says where it goes.
--
-- Degraded means that somebody has to act; whatever ends by itself (GPUs in use, a download, an
-- engine that loads) is Progressing, since a sync gives up at what is Degraded. A model that is
-- suspended or at zero, as its specification says, is Healthy: a sync would wait for ever at what is
-- Suspended. That is for one that somebody paused by hand.

local PAUSED = "serving.qwen3.dev/paused"

local function named(conditions, kind)
  for _, condition in ipairs(conditions or {}) do
    if condition.type == kind then
      return condition
    end
  end
  return nil
end

local function told(status, condition)
  local message = condition.message or ""
  if condition.reason ~= nil and condition.reason ~= "" then
    message = condition.reason .. ": " .. message
  end
  return { status = status, message = message }
end

local metadata, status = obj.metadata or {}, obj.status or {}
local ready = named(status.conditions, "Ready")

if metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = "It is being deleted." }
end
if ready == nil or status.observedGeneration ~= metadata.generation then
  return { status = "Progressing", message = "The operator has not looked at this version yet." }
end
if metadata.annotations ~= nil and metadata.annotations[PAUSED] == "true" then
  return told("Suspended", ready)
end
if ready.status == "True" then
  return told("Healthy", ready)
end
local stalled = named(status.conditions, "Stalled")
if stalled ~= nil and stalled.status == "True" then
  return told("Degraded", stalled)
end
return told("Progressing", ready)
