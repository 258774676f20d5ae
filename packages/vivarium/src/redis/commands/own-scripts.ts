/**
 * Scripts of ours: commands on a whole database, done to a sandbox's keys alone. As one command each they keep their place in a
 * pipeline and in a transaction. Keys with a prefix are found by KEYS: nothing else sees exactly those that are there at that moment.
 */
const unlinkAll =
  "local k=redis.call('keys',ARGV[1]) for i=1,#k,1000 do redis.call('unlink',unpack(k,i,math.min(i+999,#k))) end"

/** ARGV: pattern. Removes what matches. */
export const removeKeys: string = `${unlinkAll} return redis.status_reply('OK')`

/** ARGV: pattern. How many there are. */
export const countKeys: string = "return #redis.call('keys',ARGV[1])"

/** ARGV: pattern, a random number. One of them. */
export const pickKey: string =
  "local k=redis.call('keys',ARGV[1]) if #k==0 then return false end return k[tonumber(ARGV[2])%#k+1]"

/** KEYS: from, to. What MOVE does. */
export const moveKey: string =
  "if redis.call('exists',KEYS[1])==0 or redis.call('exists',KEYS[2])==1 then return 0 end " +
  "redis.call('rename',KEYS[1],KEYS[2]) return 1"

/** ARGV: prefix from, prefix to. Copies all keys, with their expiry, and says how many they were. */
export const copyKeys: string =
  "local k=redis.call('keys',ARGV[1]..'*') for i=1,#k do " +
  "redis.call('copy',k[i],ARGV[2]..string.sub(k[i],#ARGV[1]+1)) end return #k"
