/**
 * Lua for the Redis in memory. Its library runs a script in a bare Lua 5.3 with 32-bit integers;
 * this prelude gives the script what Redis gives: doubles, `redis.call` with text arguments and
 * plain tables, error and status replies, and no way to the process. The reply leaves as JSON.
 */

/**
 * Runs the script that is ARGV's last element. The script sees neither `call` nor JavaScript
 * objects: through those it would reach the process that runs it.
 */
export const LUA_PRELUDE = `
local call, source = call, table.remove(ARGV)
local plain_tonumber, plain_type, format = tonumber, type, string.format
for _, name in ipairs({ 'call', 'io', 'os', 'require', 'package', 'dofile', 'loadfile', 'debug',
  'print', 'collectgarbage' }) do _G[name] = nil end

function tonumber(value, base)
  local number
  if base then number = plain_tonumber(value, base) else number = plain_tonumber(value) end
  return number and number + 0.0
end

string.format = function(pattern, ...)
  return format((string.gsub(pattern, '%%([-+ #0]*%d*)[di]', '%%%1.0f')), ...)
end

local function text_of(value)
  if plain_type(value) ~= 'number' then return value end
  if value == math.floor(value) then return format('%.0f', value) end
  return format('%.17g', value)
end

local function table_of(list, first, length)
  local result = {}
  for i = 0, length - 1 do
    local item = list[first + i]
    if plain_type(item) == 'userdata' then
      local is_list, size = pcall(function() return item.length end)
      item = is_list and size and table_of(item, 0, size) or false
    elseif item == nil then item = false end
    result[i + 1] = item
  end
  return result
end

local function invoke(name, ...)
  local args = { ... }
  for i = 1, #args do
    args[i] = text_of(args[i])
    if name == 'set' and i > 2 then args[i] = string.upper(args[i]) end
  end
  local reply = call(true, name, table.unpack(args))
  if plain_type(reply) == 'userdata' then
    if reply[0] == 'error' then return nil, (string.gsub(reply[1], '^%a*Error: ', '')) end
    return table_of(reply, 1, #reply)
  end
  -- The library takes an empty string for nil.
  if reply == nil and name == 'get' and call(true, 'exists', args[1]) == 1 then return '' end
  if reply == nil and name == 'hget' and call(true, 'hexists', args[1], args[2]) == 1 then return '' end
  if reply == nil then return false end
  return reply
end

redis = {
  call = function(name, ...)
    local reply, problem = invoke(string.lower(name), ...)
    if problem then error(problem, 0) end
    return reply
  end,
  pcall = function(name, ...)
    local reply, problem = invoke(string.lower(name), ...)
    if problem then return { err = problem } end
    return reply
  end,
  error_reply = function(text) return { err = text } end,
  status_reply = function(text) return { ok = text } end,
  log = function() end,
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
}

local function quote(text)
  return '"' .. string.gsub(text, '[%c"\\\\]', function(char)
    return format('\\\\u%04x', string.byte(char))
  end) .. '"'
end

local function encode(value)
  local kind = plain_type(value)
  if kind == 'number' then
    return format('%.0f', value < 0 and math.ceil(value) or math.floor(value))
  end
  if kind == 'string' then return quote(value) end
  if kind == 'table' then
    if value.err then return '{"error":' .. quote(value.err) .. '}' end
    if value.ok then return quote(value.ok) end
    local parts = {}
    for i = 1, math.huge do
      if value[i] == nil then break end
      parts[i] = encode(value[i])
    end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  return value == true and '1' or 'null'
end

local script, problem = load(source, '@user_script', 't')
if not script then
  return encode({ err = 'ERR Error compiling script (new function): ' .. problem })
end
local is_done, result = pcall(script)
if is_done then return encode(result) end
if plain_type(result) == 'table' and result.err then return encode(result) end
result = tostring(result)
return encode({ err = string.match(result, '^%u+ ') and result or 'ERR ' .. result })
`
