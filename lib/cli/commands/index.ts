// One line a command; the order does not matter.
export { applyCommand } from './apply.ts';
export { cancelCommand } from './cancel.ts';
export { completeCommand } from './complete.ts';
export { completionCommand } from './completion.ts';
export { describeCommand } from './describe.ts';
export { diffCommand } from './diff.ts';
export { explainCommand } from './explain.ts';
export { graphCommand } from './graph.ts';
export { launchCommand } from './launch.ts';
export { logsCommand } from './logs.ts';
export { resumeCommand } from './resume.ts';
export { runsCommand } from './runs.ts';
export { suspendCommand } from './suspend.ts';
export { runCommand } from './run.ts';
export { synthCommand } from './synth.ts';
export { controllerCommand } from './controller.ts';
export { driverCommand } from './driver.ts';
