import { expect, it } from 'vitest';
import { mergePodTemplate } from '../../lib/pods/merge.ts';
import { deviations } from './deviations.ts';

it.each(deviations)('$name: $why', ({ base, patch, ours }) => {
  if ('refused' in ours) expect(() => mergePodTemplate(base, patch)).toThrow(ours.refused);
  else expect(mergePodTemplate(base, patch).spec).toEqual(ours.spec);
});
