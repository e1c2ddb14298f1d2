// Address books and their contacts.

/** New, Add CardDAV Address Book; all that are found are taken. */
async function addBooks(address, password, location) {
  const { CardDAVUtils } = ChromeUtils.importESModule("resource:///modules/CardDAVUtils.sys.mjs");
  const found = await CardDAVUtils.detectAddressBooks(address, password, location, false, true);
  for (const one of found) {
    const book = await one.create();
    await until(`the first sync of ${one.name}`, () => book._syncToken);
  }
  return found.map(one => ({ name: one.name, path: one.url.pathname, readOnly: book(one.name).readOnly }));
}

function book(name) {
  const found = MailServices.ab.directories.find(one => one.dirName == name);
  if (!found) {
    throw new Error(`there is no address book ${name}`);
  }
  return found;
}

async function contacts(name) {
  return book(name).childCards.map(one => one.displayName);
}

async function syncBook(name) {
  const { CardDAVDirectory } = ChromeUtils.importESModule(
    "resource:///modules/CardDAVDirectory.sys.mjs"
  );
  await CardDAVDirectory.forFile(book(name).fileName).syncWithServer();
}

/** Keep a new card; it is on the server when this returns. */
async function addContact(name, vcard) {
  const { VCardUtils } = ChromeUtils.importESModule("resource:///modules/VCardUtils.sys.mjs");
  const made = book(name).addCard(VCardUtils.vCardToAbCard(vcard));
  await until("the card on the server", () =>
    book(name).childCards.find(one => one.UID == made.UID && one.getProperty("_etag", ""))
  );
  return made.UID;
}

async function changeContact(name, displayName, changed) {
  const card = book(name).childCards.find(one => one.displayName == displayName);
  const before = card.getProperty("_etag", "");
  const properties = card.vCardProperties;
  properties.getFirstEntry("fn").value = changed;
  card.setProperty("_vCard", properties.toVCard());
  card.displayName = changed;
  book(name).modifyCard(card);
  await until("the change on the server", () =>
    book(name).childCards.find(one => one.UID == card.UID && one.getProperty("_etag", "") != before)
  );
}

async function removeContact(name, displayName) {
  const card = book(name).childCards.find(one => one.displayName == displayName);
  book(name).deleteCards([card]);
  return card.getProperty("_href", "");
}
