/**
 * An object that stands for what `find` returns: whatever is done to it is done to that, found anew each time. It can be called
 * when that can be. As it may be awaited where there is nothing to find, `then` is always undefined.
 */
export function forwarded<T extends object>(find: () => T): T {
  const methods = new WeakMap<object, WeakMap<object, object>>()

  /** `value`, called on what was found when it is called on the stand-in; the same object every time. */
  const methodOf = (owner: T, value: object): object => {
    let known = methods.get(owner)
    if (known === undefined) methods.set(owner, (known = new WeakMap()))
    let method = known.get(value)
    if (method === undefined) {
      // A proxy, so that it keeps its properties: those of a mock function, of a template function.
      method = new Proxy(value, {
        apply: (fn, self: unknown, args) => {
          // A client goes on by itself, in flows that are not of any sandbox: inside of it, `this` must be the client.
          const result: unknown = Reflect.apply(
            fn as (...args: unknown[]) => unknown,
            self === standIn ? owner : self,
            args,
          )
          return result === owner ? standIn : result
        },
      })
      known.set(value, method)
    }
    return method
  }

  // A function, for only then can it be called. An arrow function: it has no property that could not be hidden.
  const standIn: T = new Proxy((() => undefined) as object as T, {
    apply: (_, self: unknown, args: unknown[]) => Reflect.apply(find() as (...args: unknown[]) => unknown, self, args),
    get: (_, key) => {
      if (key === 'then') return undefined
      const found = find()
      const value: unknown = Reflect.get(found, key)
      return typeof value === 'function' && key !== 'constructor' ? methodOf(found, value) : value
    },
    set: (_, key, value) => Reflect.set(find(), key, value),
    has: (_, key) => Reflect.has(find(), key),
    deleteProperty: (_, key) => Reflect.deleteProperty(find(), key),
    defineProperty: (_, key, descriptor) => Reflect.defineProperty(find(), key, { configurable: true, ...descriptor }),
    getPrototypeOf: () => Reflect.getPrototypeOf(find()),
    ownKeys: () => Reflect.ownKeys(find()),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(find(), key)
      // A proxy may call only its target's own properties fixed.
      return descriptor && { ...descriptor, configurable: true }
    },
  })
  return standIn
}
