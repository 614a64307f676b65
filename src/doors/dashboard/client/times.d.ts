/** How long ago something was: `5 h ago`. */
export declare function agoInWords(milliseconds: number): string;

/** How long something takes or took, in the words of our statuses on GitHub: `1 min 12 s`. */
export declare function tookInWords(milliseconds: number): string;
