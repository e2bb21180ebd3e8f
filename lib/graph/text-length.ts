/**
 * About how many pixels a text takes in a sans-serif font, rather too many than too few: the font that will be used is not
 * known here, and text that sticks out of its box is worse than a box that is a little wide.
 */
export function textLength(text: string, fontSize: number): number {
  let ems = 0;
  for (const character of text) ems += widthOf(character);
  return ems * fontSize;
}

function widthOf(character: string): number {
  if (/[ijlt.,:;|'!()[\]f ]/.test(character)) return 0.42;
  if (/[mwMW@%]/.test(character)) return 0.98;
  if (/[A-Z]/.test(character)) return 0.76;
  return character < '\u0250' ? 0.64 : 1.1;
}
