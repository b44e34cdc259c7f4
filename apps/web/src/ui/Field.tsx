import type { ReactNode } from 'react';

interface Wiring {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

/** A labelled control with its hint and its error, tied together for screen readers. */
export function Field(props: {
  id: string;
  label: string;
  hint?: ReactNode;
  warn?: boolean | undefined;
  error?: string | undefined;
  children: (wiring: Wiring) => ReactNode;
}) {
  const described = props.error ? `${props.id}-error` : props.hint ? `${props.id}-hint` : undefined;
  return (
    <div className="field">
      <label htmlFor={props.id}>{props.label}</label>
      {props.children({
        id: props.id,
        'aria-describedby': described,
        'aria-invalid': props.error ? true : undefined,
      })}
      {props.error ? (
        <p className="field-error" id={`${props.id}-error`} role="alert">
          {props.error}
        </p>
      ) : (
        props.hint && (
          <p className={props.warn ? 'hint warn' : 'hint'} id={`${props.id}-hint`}>
            {props.hint}
          </p>
        )
      )}
    </div>
  );
}
