/** The field manager of everything that is applied. */
export const APPLY_MANAGER = 'cdk8s-workflows';

/**
 * The field manager of what a person changes by a command, such as `suspend`. It is another one, so that the next apply does not
 * silently undo it but reports a conflict.
 */
export const HAND_MANAGER = 'cdk8s-workflows-by-hand';
