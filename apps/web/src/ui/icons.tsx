const paths = {
  plus: 'M8 3v10M3 8h10',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  panel: 'M2.5 3.5h11v9h-11zM10 3.5v9',
  close: 'm4 4 8 8M12 4l-8 8',
  stop: 'M4.5 4.5h7v7h-7z',
  send: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  chevron: 'm6 4 4 4-4 4',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'm3 8.5 3.5 3.5L13 4.5',
  cross: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2 1.3',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3',
  edit: 'M3 13l.6-2.7 7.4-7.4 2.1 2.1-7.4 7.4z',
  terminal: 'M2.5 3.5h11v9h-11zM5 6.5l2 1.5-2 1.5M8.5 10h2.5',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5l3 3',
  clip: 'm12.5 7.5-5 5a3 3 0 0 1-4.3-4.3l5.3-5.2a2 2 0 0 1 2.9 2.8L6.2 11a1 1 0 0 1-1.5-1.4l4.6-4.6',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
  retry: 'M12.8 6a5.2 5.2 0 1 0 .4 3.2M13 2.8V6H9.8',
  branch: 'M4.5 13.5v-11M4.5 10.5c4.5 0 7-1.5 7-5.5M9.5 7l2-2.2 2 2.2',
  warning: 'M8 2.5 14 13H2zM8 6.5v3M8 11.2v.3',
  info: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 7.5v3.5M8 5.2v.3',
  thought:
    'M5 12.5c-1.7-.2-3-1.3-3-3 0-1.4 1-2.5 2.3-2.8C4.500 4.600 6.100 3 8.200 3c2 0 3.700 1.500 3.900 3.500 1.200.3 2 1.400 2 2.700 0 1.800-1.300 3.300-3.100 3.300z',
} as const;
export type IconName = keyof typeof paths;

/** A picture beside words; never the only carrier of a meaning. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg className="icon-svg" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path
      d={paths[name]}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  </svg>
);
