// The floors of docs/ARCHITECTURE.md as rules: imports go down only, rooms never import each other,
// and the pure floors import nothing from the outside world.
const outside = '^(node:)?(net|tls|dgram|fs|fs/promises|http|https|http2|child_process|cluster|worker_threads|timers|timers/promises|os|dns|dns/promises|sqlite|readline|process|perf_hooks|async_hooks|inspector|v8|vm|zlib|stream|events)$'
const notTests = '\\.test\\.ts$|/testing/'
const floor = (name, from, allowed) => ({
  name, severity: 'error',
  from: { path: `^src/${from}/`, pathNot: notTests },
  to: { path: '^src/', pathNot: `^src/(${[from, ...allowed].join('|')})/` },
})
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'pure-floors-stay-pure', severity: 'error', from: { path: '^src/(protocol|judgement)/', pathNot: notTests }, to: { path: outside } },
    { name: 'pure-floors-take-no-packages', severity: 'error', from: { path: '^src/(protocol|judgement)/', pathNot: notTests }, to: { dependencyTypes: ['npm', 'npm-dev'], pathNot: 'node_modules/tldts' } },
    floor('protocol-is-the-ground', 'protocol', []),
    floor('judgement-stands-on-protocol', 'judgement', ['protocol']),
    floor('system-decides-nothing', 'system', ['protocol']),
    floor('spool-floor', 'spool', ['protocol', 'judgement', 'system']),
    floor('knowledge-floor', 'knowledge', ['protocol', 'judgement', 'system']),
    floor('journal-floor', 'journal', ['protocol', 'judgement', 'system']),
    floor('hop-floor', 'hop', ['protocol', 'judgement', 'system', 'knowledge']),
    floor('relay-is-a-room', 'relay', ['protocol', 'judgement', 'system', 'spool', 'knowledge', 'journal', 'hop']),
    floor('lab-is-a-room', 'lab', ['protocol', 'judgement', 'system', 'spool', 'knowledge', 'journal', 'hop']),
    floor('tour-is-a-room', 'tour', ['protocol', 'judgement', 'system', 'spool', 'knowledge', 'journal', 'hop']),
    { name: 'no-dev-dependencies-in-src', severity: 'error', from: { path: '^src/', pathNot: notTests }, to: { dependencyTypes: ['npm-dev'] } },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, exclude: '\\.d\\.ts$' },
}
