//! An image whose user has the ids of the person on the host, so that what either writes in the workspace is the other's too
//! (specification, "updateRemoteUserUID").

/// The Dockerfile: it changes the user's own lines alone, and nothing where another user has the uid already.
const DOCKERFILE: &str = r#"ARG BASE
FROM ${BASE}
USER root
ARG REMOTE_USER
ARG NEW_UID
ARG NEW_GID
RUN line=$(grep "^$REMOTE_USER:" /etc/passwd | head -n 1); \
    IFS=:; set -- $line; unset IFS; uid=$3 gid=$4 home=$6; \
    taken=$(grep "^[^:]*:[^:]*:$NEW_UID:" /etc/passwd | head -n 1); \
    if [ -z "$line" ]; then echo "there is no user $REMOTE_USER"; \
    elif [ "$uid" = "$NEW_UID" ] && [ "$gid" = "$NEW_GID" ]; then echo "the ids are the same"; \
    elif [ "$uid" != "$NEW_UID" ] && [ -n "$taken" ]; then echo "the uid is that of ${taken%%:*}"; \
    else \
      if [ "$gid" != "$NEW_GID" ] && grep -q "^[^:]*:[^:]*:$NEW_GID:" /etc/group; then NEW_GID=$gid; fi; \
      sed -i -E "s#^($REMOTE_USER:[^:]*:)[0-9]+:[0-9]+:#\1$NEW_UID:$NEW_GID:#" /etc/passwd && \
      if [ "$gid" != "$NEW_GID" ]; then sed -i -E "s#^([^:]*:[^:]*:)$gid:#\1$NEW_GID:#" /etc/group; fi && \
      chown -R "$NEW_UID:$NEW_GID" "$home"; \
    fi
ARG IMAGE_USER
USER ${IMAGE_USER}
"#;

/// The Dockerfile's text.
pub(crate) fn dockerfile() -> &'static str {
    DOCKERFILE
}

/// Whether the ids of `user` can be changed: root keeps its own, and a number is no user whose line could be.
pub(crate) fn applies(user: &str) -> bool {
    let is_number = user.chars().all(|c| c.is_ascii_digit());
    let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !user.is_empty() && user != "root" && !is_number && user.chars().all(is_plain)
}
