/**
 * The real relay for the lab and the tour: composed here, because neither room may know the other or the relay.
 *
 * The relay is set up by a configuration file like an operator's, so that every command can be pointed at the same file afterwards. Only the
 * dialer is not in it: it is what leads documentation addresses to the lab.
 */
import type { JournalReader } from '../journal/journal.ts'
import { openJournalReader } from '../journal/journal-reader.ts'
import type { Lab } from '../lab/lab.ts'
import { type RelayUnderTest, relaySetup } from '../lab/relay-under-test.ts'
import { parseConfiguration } from '../relay/configuration/configuration.ts'
import { startRelay } from '../relay/relay.ts'
import type { Settings } from '../relay/settings.ts'
import { statePaths } from '../relay/state-paths.ts'
import { configurationFailure } from './configured.ts'
import { labConfigurationFile, writeLabConfiguration } from './lab-configuration.ts'
import { startFailure } from './start-failure.ts'

export interface LabRelay extends RelayUnderTest {
  /** The file that commands are pointed at. */
  readonly configuration: string
  stop(): Promise<void>
}

export interface LabRelayOptions {
  /** An existing directory. */
  readonly state: string
  /** 0: any free one; else the next free one from there. */
  readonly port: number
  readonly log: (line: string) => void
}

export async function startLabRelay(lab: Lab, { state, port, log }: LabRelayOptions): Promise<LabRelay> {
  const setup = relaySetup(lab)
  const configuration = labConfigurationFile(state)
  const settings = settingsOf(writeLabConfiguration(setup, state, port), configuration, port)
  const relay = await startRelay(settings, { dialer: lab.dialer, resolver: null, log }).catch((error: unknown) => {
    throw startFailure(error, settings)
  })
  const [smtp] = relay.listeners
  if (smtp === undefined) throw new Error('the relay listens nowhere')
  writeLabConfiguration(setup, state, smtp.port)

  // Opened with the first question, when the relay has made the store.
  let reader: JournalReader | null = null
  const journal = (): JournalReader => {
    const open = reader ?? openJournalReader({ directory: statePaths(state).journal })
    reader = open
    return open
  }
  return {
    configuration,
    smtp,
    settled: deadlineMs => relay.settled(deadlineMs),
    life: message => Promise.resolve(journal().life(message)),
    session: id => Promise.resolve(journal().session(id)),
    incidents: () => Promise.resolve(journal().incidents(mostIncidents)),
    async stop() {
      reader?.close()
      await relay.stop()
    },
  }
}

function settingsOf(text: string, file: string, port: number): Settings {
  const loaded = parseConfiguration(text, file)
  if ('problems' in loaded) throw configurationFailure(loaded.problems)
  const { settings } = loaded
  return {
    ...settings,
    listen: settings.listen.map(listener => ({ ...listener, tryNext: port === 0 ? 0 : portsToTry })),
  }
}

const portsToTry = 200
const mostIncidents = 1_000
