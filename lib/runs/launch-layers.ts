/** How problems name a launch whose run has no name yet. */
export const THIS_LAUNCH = 'this launch';
