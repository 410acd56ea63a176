import { agentSyncMachine } from './agent-sync/machine.ts';
import { profileSyncMachine } from './profile-sync/machine.ts';
import { beatMachine } from './beat/machine.ts';
import { deliveryMachine } from './delivery/machine.ts';
import { extensionsMachine } from './extensions/machine.ts';
import { gatewayMachine } from './gateway/machine.ts';
import { heartbeatMachine } from './heartbeat/machine.ts';
import { notificationMachine } from './notification/machine.ts';
import { journalMachine } from './journal/machine.ts';
import { otherRuntimeMachine } from './other-runtime/machine.ts';
import { pulseMachine } from './pulse/machine.ts';
import { statusReporterMachine } from './status-reporter/machine.ts';
import { supervisorMachine } from './supervisor/machine.ts';
import { troubleMachine } from './trouble/machine.ts';
import { upgradeMachine } from './upgrade/machine.ts';

/** Every machine by its id. The contract test, the drawings and the inspector read it. */
export const machines = {
  supervisor: supervisorMachine,
  delivery: deliveryMachine,
  notification: notificationMachine,
  beat: beatMachine,
  trouble: troubleMachine,
  gateway: gatewayMachine,
  upgrade: upgradeMachine,
  heartbeat: heartbeatMachine,
  agentSync: agentSyncMachine,
  profileSync: profileSyncMachine,
  statusReporter: statusReporterMachine,
  extensions: extensionsMachine,
  journal: journalMachine,
  otherRuntime: otherRuntimeMachine,
  pulse: pulseMachine,
} as const;
