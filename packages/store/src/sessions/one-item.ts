/**
 * The row of one item, as a subquery of no or one row. Plans are kept for good and are often made while the table is
 * empty; for `session_id = … and id = …` PostgreSQL then takes whichever index begins with the session and reads all of
 * its items. Asked for the first row from there on, in order, only the primary key is an answer.
 * `columns`, of `o`; `session` and `id`: expressions.
 */
export const oneItem = (columns: string, session: string, id: string): string => `
  select ${columns} from (
    select * from items where (items.session_id, items.id) >= (${session}, ${id}) order by items.session_id, items.id limit 1) o
  where o.session_id = ${session} and o.id = ${id}`;
