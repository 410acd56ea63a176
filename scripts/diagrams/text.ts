/**
 * How wide a text is, without a browser: a layout must come out the same on every machine. The widths are those of
 * DejaVu Sans, the widest of the usual system fonts, so that a text never outgrows the room that is kept for it.
 */

/** Advance widths of the printable ASCII characters from the space on, in thousandths of the font size. */
const REGULAR = [
  318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637, 637, 637,
  637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632, 576, 775, 752, 295,
  295, 656, 558, 863, 749, 788, 604, 788, 695, 635, 611, 732, 685, 989, 686, 611, 686, 391, 337, 391, 838,
  500, 500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580, 278, 975, 634, 612, 635, 635, 412, 521,
  393, 634, 592, 818, 592, 592, 525, 637, 337, 637, 838,
];

const BOLD = [
  349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696, 696, 696, 696,
  696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831, 684, 684, 821, 837, 373,
  373, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771, 725, 726, 458, 366, 458, 838,
  500, 500, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666, 343, 1042, 712, 688, 716, 716, 494, 596,
  479, 712, 652, 924, 646, 652, 583, 712, 366, 712, 838,
];

const WIDEST = 1_104;

export interface Font {
  /** In pixels. */
  size: number;
  bold?: boolean;
}

/** @returns the room that the text needs, in whole pixels */
export function textWidth(text: string, { size, bold = false }: Font): number {
  const widths = bold ? BOLD : REGULAR;
  let units = 0;
  for (let i = 0; i < text.length; i++) units += widths[text.charCodeAt(i) - 32] ?? WIDEST;
  return Math.ceil((units * size) / 1_000);
}

/** Breaks a text at its spaces into lines of at most `limit` pixels; a single long word stays whole. */
export function wrap(text: string, font: Font, limit: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && textWidth(longer, font) <= limit) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
