const vocabulary =
  'the of and to in is you that it he was for on are with as they be at one have this from or had by word but what some we can out other were all there when up use your how said an each she which do their time if will way about many then them write would like so these her long make thing see him two has look more day could go come did number sound no most people my over know water than call first who may down side been now find any new work part take get place made live where after back little only round man year came show every good me give our under name very through just form sentence great think say help low line differ turn cause much mean before move right boy old too same tell does set three want air well also play small end put home read hand port large spell add even land here must big high such follow act why ask men change went light kind off need house picture try us again animal point mother world near build self earth father'.split(
    ' ',
  );

/** English-like text of exactly so many characters, the same for the same seed. */
export const prose = (seed: string, characters: number): string => {
  let state = 2166136261;
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16777619);
  let text = '';
  while (text.length < characters) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    text += `${vocabulary[(state >>> 8) % vocabulary.length]} `;
  }
  return text.slice(0, characters - 1).concat('.');
};
