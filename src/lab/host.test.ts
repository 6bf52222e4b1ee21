import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { ordinaryHost, startHost } from './host.ts'

test('what came long ago is counted, and else forgotten', async () => {
  const host = await startHost({ ...ordinaryHost, name: 'mx.test.example' }, null)
  try {
    for (let visit = 0; visit < 3; visit++) {
      const socket = connect(host.port, host.address)
      await once(socket, 'data')
      socket.destroy()
    }
    host.forget(1)
    expect(host.visits).toHaveLength(1)
    expect(host.came).toEqual({ visits: 3, messages: 0 })
    host.forget(1)
    expect(host.came.visits).toBe(3)
  } finally {
    await host.close()
  }
})
