//! The rows of catalogs that all databases of a server share, whose names may be text in another
//! database only.

use super::readable::is_unreadable;
use super::row::Row;
use super::session::Session;
use crate::error::Result;

/// The rows of a catalog that all databases share, without those that cannot be read here: this
/// database has no word for them.
pub async fn shared_rows(
    session: &Session,
    doing: &str,
    columns: &str,
    catalog: &str,
) -> Result<Vec<Row>> {
    let sql = format!("SELECT {columns} FROM {catalog}");
    let unreadable = match session.query(doing, &sql).await {
        Err(error) if is_unreadable(&error) => error,
        rows => return rows,
    };
    // One such row spoils the whole answer: halves are asked for until it stands alone.
    let oids = session
        .query(doing, &format!("SELECT oid FROM {catalog} ORDER BY oid"))
        .await
        .map_err(|_| unreadable)?;
    let mut halves: Vec<Vec<u32>> = vec![oids.iter().map(|row| row.get(0)).collect::<Result<_>>()?];
    let mut readable = Vec::new();
    while let Some(half) = halves.pop() {
        let list: Vec<String> = half.iter().map(u32::to_string).collect();
        match session
            .query(doing, &format!("{sql} WHERE oid = ANY (ARRAY[{}]::oid[])", list.join(",")))
            .await
        {
            Ok(rows) => readable.extend(rows),
            Err(error) if is_unreadable(&error) && half.len() > 1 => {
                let (left, right) = half.split_at(half.len() / 2);
                halves.extend([left.to_vec(), right.to_vec()]);
            }
            Err(error) if is_unreadable(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(readable)
}
