// Folders and messages.

/** Run what takes a listener for URLs as its argument, until the URL is done. */
function url(begin) {
  return new Promise((resolve, reject) => {
    begin({
      OnStartRunningUrl() {},
      OnStopRunningUrl(_, status) {
        if (Components.isSuccessCode(status)) {
          resolve();
        } else {
          reject(new Error(`IMAP failed: ${status.toString(16)}`));
        }
      },
    });
  });
}

async function folders() {
  const root = account().incomingServer.rootFolder;
  await url(listener => MailServices.imap.discoverAllFolders(root, listener, null));
  return root.descendants.map(one => ({
    path: path(one),
    special: ["Inbox", "Drafts", "SentMail", "Trash", "Junk", "Archive"].filter(name =>
      one.getFlag(Ci.nsMsgFolderFlags[name])
    ),
    selectable: !one.noSelect,
  }));
}

function path(found) {
  return decodeURIComponent(found.URI.split("/").slice(3).join("/"));
}

function folder(wanted) {
  const root = account().incomingServer.rootFolder;
  const found = root.descendants.find(one => path(one) == wanted);
  if (!found) {
    throw new Error(`there is no folder ${wanted}`);
  }
  return found;
}

async function makeFolder(parent, name) {
  const above = parent ? folder(parent) : account().incomingServer.rootFolder;
  const wanted = parent ? `${parent}/${name}` : name;
  above.createSubfolder(name, null);
  await until(`the folder ${wanted}`, () => above.descendants.some(one => path(one) == wanted));
}

async function renameFolder(wanted, name) {
  const above = folder(wanted).parent;
  folder(wanted).rename(name, null);
  await until(`the folder ${name}`, () => above.descendants.some(one => one.name == name));
}

/** What deleting a folder is: it goes into Trash. */
async function trashFolder(wanted) {
  await copied(listener =>
    MailServices.copy.copyFolder(folder(wanted), folder("Trash"), true, listener, null)
  );
}

/** Open a folder and wait for a message in it; from then on it has IDLE. */
async function open(wanted, subject) {
  folder(wanted).updateFolder(null);
  await header(wanted, subject);
  return subjects(wanted);
}

function headers(wanted) {
  return [...folder(wanted).messages];
}

/** The subjects that Thunderbird has at hand, without asking the server. */
function subjects(wanted) {
  return headers(wanted).map(one => one.mime2DecodedSubject);
}

async function header(wanted, subject) {
  const found = () => headers(wanted).find(one => one.mime2DecodedSubject == subject);
  return until(`${subject} in ${wanted}`, found);
}

async function arrives(wanted, subject) {
  const found = await header(wanted, subject);
  return { read: found.isRead, flagged: found.isFlagged, author: found.mime2DecodedAuthor };
}

function send(to, subject, text) {
  return compose(to, subject, text, Ci.nsIMsgSend.nsMsgDeliverNow);
}

function saveDraft(to, subject, text) {
  return compose(to, subject, text, Ci.nsIMsgSend.nsMsgSaveAsDraft);
}

async function compose(to, subject, text, how) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(
    Ci.nsIMsgCompFields
  );
  const identity = account().defaultIdentity;
  Object.assign(fields, { from: identity.email, to, subject, body: text });
  const message = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
  await new Promise((resolve, reject) => {
    let sent = false;
    const over = status => {
      if (Components.isSuccessCode(status)) {
        resolve();
      } else {
        reject(new Error(`${sent ? "the copy" : "sending"} failed: ${status.toString(16)}`));
      }
    };
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener", "nsIMsgCopyServiceListener"]),
      onStartSending() {},
      onProgress() {},
      onSendProgress() {},
      onStatus() {},
      onSendNotPerformed(_, status) {
        over(status);
      },
      onGetDraftFolderURI() {},
      onTransportSecurityError(_, status) {
        over(status);
      },
      onStopSending(_, status) {
        sent = true;
        if (!Components.isSuccessCode(status)) {
          over(status);
        }
      },
      onStartCopy() {},
      setMessageKey() {},
      getMessageId() {},
      onStopCopy(status) {
        over(status);
      },
    };
    message.createAndSendMessage(
      null,
      identity,
      account().key,
      fields,
      false,
      false,
      how,
      null,
      "text/plain",
      text,
      null,
      null,
      listener,
      "",
      "",
      Ci.nsIMsgCompType.New
    );
  });
}

async function text(wanted, subject) {
  const found = await header(wanted, subject);
  const { MsgHdrToMimeMessage } = ChromeUtils.importESModule(
    "resource:///modules/gloda/MimeMessage.sys.mjs"
  );
  return new Promise(resolve => {
    MsgHdrToMimeMessage(found, null, (_, mime) => resolve(mime.coerceBodyToPlaintext(folder(wanted))), true);
  });
}

/** Run what takes a listener for copies, until the copy is done. */
function copied(begin) {
  return new Promise((resolve, reject) => {
    begin({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
      onStartCopy() {},
      onProgress() {},
      setMessageKey() {},
      getMessageId() {},
      onStopCopy(status) {
        if (Components.isSuccessCode(status)) {
          resolve();
        } else {
          reject(new Error(`copying failed: ${status.toString(16)}`));
        }
      },
    });
  });
}

async function move(from, to, subject) {
  const found = await header(from, subject);
  await copied(listener =>
    MailServices.copy.copyMessages(folder(from), [found], folder(to), true, listener, null, false)
  );
}

async function mark(wanted, subject) {
  const found = await header(wanted, subject);
  folder(wanted).markMessagesRead([found], true);
  folder(wanted).markMessagesFlagged([found], true);
}

/** Edit, Find, Search Messages with "Run search on server". */
async function search(wanted, words) {
  const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(
    Ci.nsIMsgSearchSession
  );
  session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder(wanted));
  const term = session.createTerm();
  const value = term.value;
  value.attrib = Ci.nsMsgSearchAttrib.Body;
  value.str = words;
  Object.assign(term, { attrib: Ci.nsMsgSearchAttrib.Body, op: Ci.nsMsgSearchOp.Contains, value });
  session.appendTerm(term);
  const found = [];
  await new Promise((resolve, reject) => {
    session.registerListener({
      onSearchHit(hit) {
        found.push(hit.mime2DecodedSubject);
      },
      onSearchDone(status) {
        if (Components.isSuccessCode(status)) {
          resolve();
        } else {
          reject(new Error(`searching failed: ${status.toString(16)}`));
        }
      },
      onNewSearch() {},
    });
    session.search(null);
  });
  return found;
}
