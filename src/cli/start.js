/**
 * What `./hermetic` runs: keeps compiled code, then main.ts.
 *
 * JavaScript, so that Node loads its compiler for TypeScript only where something is not in the cache yet: that takes longer than most commands do.
 */
import { keepCompiledCode } from './compile-cache.js'

keepCompiledCode()
await import('./main.ts')
