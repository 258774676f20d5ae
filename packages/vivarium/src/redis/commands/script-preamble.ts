import { createHash } from 'node:crypto'
import type { CommandTable, KeySpec } from './command-table.ts'
import { isHarmless } from './server-wide.ts'

/** A script as the server gets it, and the digests that it has on either side. */
export interface WrappedScript {
  readonly source: Buffer
  /** What the client knows it by. */
  readonly digest: string
  /** What the server knows it by. */
  readonly wrappedDigest: string
}

/** The Lua that stands before a script: its `redis.call` puts a sandbox's prefixes where they belong, whatever names a key. */
export class ScriptPreamble {
  readonly #text: Buffer

  constructor(table: CommandTable) {
    this.#text = Buffer.from(preamble.replace('%TABLE%', `|${describe(table).join('|')}|`).replaceAll(/\n\s*/g, ' '))
  }

  wrap(script: Buffer): WrappedScript {
    // `#!lua flags=…` must stay the first line. Ours goes before what follows it, so that the lines keep their numbers.
    const shebang = script.subarray(0, 2).toString('latin1') === '#!' ? script.indexOf('\n') + 1 : 0
    const source = Buffer.concat([script.subarray(0, shebang), this.#text, script.subarray(shebang)])
    return { source, digest: digestOf(script), wrappedDigest: digestOf(source) }
  }
}

function digestOf(script: Buffer): string {
  return createHash('sha1').update(script).digest('hex')
}

/** `name=rule`: where keys are, `^` for a command with subcommands, or what else is to be done (see the Lua below). */
function describe(table: CommandTable): string[] {
  const containers = new Set(Object.keys(table).flatMap((name) => (name.includes('|') ? [name.split('|')[0]!] : [])))
  return Object.entries(table).map(([name, { keys, partial, noScript }]) => {
    // The server refuses it.
    const refused = noScript === true && !containers.has(name) ? '' : undefined
    const rule =
      refused ?? inScripts[name] ?? inScripts[name.split('|')[0]!] ?? (containers.has(name) ? '^' : undefined)
    // What has no keys and no rule may go through only where it does outside of scripts, too.
    const isUnknown = partial === true || (keys.length === 0 && !isHarmless(name))
    return `${name.replace('|', ' ')}=${rule ?? (isUnknown ? '!' : keys.map(describeSpec).join(';'))}`
  })
}

function describeSpec([begin, find]: KeySpec): string {
  return `${begin[0] === 'at' ? `a${begin[1]}` : `b${begin[1]},${begin[2]}`},${find.join(',')}`
}

/** What is more than keys at places: one letter each, and `!` for what a script in a sandbox cannot do. */
const inScripts: Readonly<Record<string, string>> = {
  publish: 'C',
  spublish: 'C',
  keys: 'K',
  scan: 'S',
  dbsize: 'D',
  randomkey: 'R',
  sort: 'O',
  sort_ro: 'O',
  flushdb: '!',
  flushall: '!',
  swapdb: '!',
  move: '!',
  copy: 'Y',
  select: '!',
  migrate: '!',
  config: '!',
  client: '!',
  debug: '!',
  acl: '!',
  function: '!',
  script: '!',
  pubsub: '!',
  info: '!',
}

// `a1,to,0,1,0`: from 1 to the first + 0, step 1. `b` is behind a keyword. KEYS[n] are the client's own names; what the server
// replies with names in it is given back without the prefix. A tail call, so that errors name the script's own place.
// Whatever else leads to the real `redis` is hidden as well: Valkey calls it `server`, the table of globals has both, and a string
// that is compiled would see the globals (it is compiled on its own first, so that it cannot end the function it is put into).
const preamble = String.raw`local redis,server,_G,load,loadstring,getfenv,setfenv=(function()
local R,C,P,T=redis,table.remove(ARGV),table.remove(ARGV),'%TABLE%'
local low,find,sub,fmt=string.lower,string.find,string.sub,string.format
local function str(v) if type(v)=='number' then return fmt('%.17g',v) end return v end
local function strip(v) if type(v)=='string' and sub(v,1,#P)==P then return sub(v,#P+1) end return v end
local function mark(a,i) if i>1 and a[i]~=nil then a[i]=P..str(a[i]) end end
local function range(a,n,b,l,s,m)
  local e=l>=0 and b+l or n+l
  if l<0 and m>1 then e=b+math.floor((n-b)/m)-1 end
  if e>n-1 then e=n-1 end
  for i=b,e,s do mark(a,i+1) end
end
local function spec(a,n,k,w,x,kind,p,q,r)
  local b=tonumber(w)
  if k=='b' then
    b=nil
    local f=tonumber(x)
    local i,e,d=f,n-1,1
    if f<0 then i,e,d=n+f,1,-1 end
    for j=i,e,d do if low(tostring(a[j+1]))==w then b=j+1 break end end
  end
  if not b then return end
  p,q,r=tonumber(p),tonumber(q),tonumber(r)
  if kind=='to' then range(a,n,b,p,q,r) else
    local c=tonumber(a[b+p+1]) or 0
    for i=0,c-1 do mark(a,b+q+i*r+1) end
  end
end
local function no(f,c,v) local e={err="ERR Vivarium: '"..c.."' "..v} if f==R.pcall then return e end error(e) end
local function list(f) local r=f('keys',P..'*') for i=1,#r do r[i]=strip(r[i]) end return r end
local function names(v)
  if type(v)~='table' then return v end
  if v.map then local m={} for k,x in pairs(v.map) do m[strip(k)]=x end v.map=m return v end
  if type(v[1])=='table' then for i=1,#v do if type(v[i])=='table' then v[i][1]=strip(v[i][1]) end end
  else v[1]=strip(v[1]) end
  return v
end
local replies={lmpop=1,blmpop=1,zmpop=1,bzmpop=1,blpop=1,brpop=1,bzpopmin=1,bzpopmax=1,xread=1,xreadgroup=1}
local function run(f,...)
  local n=select('#',...)
  local a={...}
  if type(a[1])~='string' then return f(...) end
  local c=low(a[1])
  local _,at=find(T,'|'..c..'=',1,true)
  if at==nil then return f(...) end
  local rule=sub(T,at+1,find(T,'|',at,true)-1)
  if rule=='^' then
    _,at=find(T,'|'..c..' '..low(tostring(a[2]))..'=',1,true)
    if at==nil then return f(...) end
    rule=sub(T,at+1,find(T,'|',at,true)-1)
  end
  if rule=='' then return f(...) end
  if rule=='!' then return no(f,c,'reaches outside of the sandbox: a script cannot call it') end
  if rule=='C' then if a[2]~=nil then a[2]=C..str(a[2]) end return f(unpack(a,1,n)) end
  if rule=='K' then if a[2]==nil then return f(...) end
    local r=f('keys',P..str(a[2])) if r.err then return r end
    for i=1,#r do r[i]=strip(r[i]) end return r end
  if rule=='D' then return #list(f) end
  if rule=='R' then local r=list(f) if #r==0 then return false end return r[math.random(#r)] end
  if rule=='S' then local m=false
    for i=3,n do if low(tostring(a[i]))=='match' and a[i+1]~=nil then a[i+1]=P..str(a[i+1]) m=true end end
    if not m then a[n+1]='match' a[n+2]=P..'*' n=n+2 end
    local r=f(unpack(a,1,n)) if r.err then return r end
    for i=1,#r[2] do r[2][i]=strip(r[2][i]) end return r end
  if rule=='Y' then for i=4,n do if low(tostring(a[i]))=='db' then return no(f,c,'to another database is not possible in a script') end end
    mark(a,2) mark(a,3) return f(unpack(a,1,n)) end
  if rule=='O' then mark(a,2) local i=3
    while i<=n do local o=low(tostring(a[i]))
      if o=='limit' then i=i+2 elseif o=='store' then i=i+1 mark(a,i)
      elseif o=='by' then i=i+1 if find(tostring(a[i]),'*',1,true) then mark(a,i) end
      elseif o=='get' then i=i+1 if a[i]~='#' then mark(a,i) end end
      i=i+1 end
    return f(unpack(a,1,n)) end
  for k,w,x,kind,p,q,r in string.gmatch(rule..';','([ab])([^,;]*),?(%-?%d*),(%a+),(%-?%d+),(%-?%d+),(%-?%d+);') do
    spec(a,n,k,w,x,kind,p,q,r) end
  if replies[c] then return names(f(unpack(a,1,n))) end
  return f(unpack(a,1,n))
end
local V={call=function(...) return run(R.call,...) end,pcall=function(...) return run(R.pcall,...) end}
setmetatable(V,{__index=R,__metatable=false})
local real,has=_G,rawget
local function deny(c) return has(real,c) and function() error("ERR Vivarium: '"..c.."' reaches outside of the sandbox: a script cannot call it",2) end end
local compile,load=has(real,'loadstring')
local server,G,getfenv,setfenv=has(real,'server') and V,{},deny('getfenv'),deny('setfenv')
local loadstring=compile and function(s,n)
  local f,e=compile(s,n) if f==nil then return f,e end
  if sub(s,1,1)==string.char(27) then return nil,'ERR Vivarium: a script cannot load bytecode' end
  f,e=compile('local redis,server,_G,load,loadstring,getfenv,setfenv=... return function(...) '..s..string.char(10)..'end',n or s)
  if f==nil then return f,e end
  return f(V,server,G,load,G.loadstring,getfenv,setfenv)
end
load=compile and function(f,n) local s='' for p in f do if p=='' then break end s=s..p end return G.loadstring(s,n or '=(load)') end
G.redis,G.server,G._G,G.load,G.loadstring,G.getfenv,G.setfenv=V,server,G,load,loadstring,getfenv,setfenv
setmetatable(G,{__index=real,__metatable=false,__newindex=function() error('Attempt to modify a readonly table',2) end})
return V,server,G,load,loadstring,getfenv,setfenv
end)() `
