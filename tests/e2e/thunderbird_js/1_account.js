// What the tests do in Thunderbird, with the modules behind its windows. Run by marionette.py.

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

const PATIENCE = 15000; // milliseconds

async function until(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`this did not happen: ${what}`);
    }
    await new Promise(resolve => setTimeout(resolve, 25));
  }
}

/** What a person does who clicks "Confirm Security Exception". */
function trust(pem, host, ports) {
  const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
  const certificate = database.constructX509FromBase64(pem.replace(/-----[^-]+-----|\s/g, ""));
  const exceptions = Cc["@mozilla.org/security/certoverride;1"].getService(
    Ci.nsICertOverrideService
  );
  for (const port of ports) {
    exceptions.rememberValidityOverride(host, port, {}, certificate, false);
  }
}

/** What the dialog for a new account does: find settings, sign in with them, keep them. */
async function addAccount(name, address, password) {
  const creation = "resource:///modules/accountcreation";
  const { FindConfig } = ChromeUtils.importESModule(`${creation}/FindConfig.sys.mjs`);
  const { AccountConfig } = ChromeUtils.importESModule(`${creation}/AccountConfig.sys.mjs`);
  const { ConfigVerifier } = ChromeUtils.importESModule(`${creation}/ConfigVerifier.sys.mjs`);
  const { CreateInBackend } = ChromeUtils.importESModule(`${creation}/CreateInBackend.sys.mjs`);
  const { signal } = new AbortController();
  const domain = address.split("@")[1];
  const search = FindConfig.parallelAutoDiscovery(domain, address, signal);
  const { value: found } = await search.next();
  if (!found) {
    throw new Error("no settings were found");
  }
  AccountConfig.replaceVariables(found, name, address, password);
  found.rememberPassword = true;
  const verifier = new ConfigVerifier(mainWindow().msgWindow, signal);
  const proven = await verifier.verifyConfig(found, false);
  verifier.cleanup();
  await CreateInBackend.createAccountInBackend(proven);
  const shown = one => ({
    type: one.type,
    host: one.hostname,
    port: one.port,
    username: one.username,
    tls: one.socketType == Ci.nsMsgSocketType.SSL,
  });
  return {
    source: found.subSource,
    incoming: shown(proven.incoming),
    outgoing: shown(proven.outgoing),
    alternatives: [...proven.incomingAlternatives, ...proven.outgoingAlternatives].map(shown),
  };
}

function mainWindow() {
  return Services.wm.getMostRecentWindow("mail:3pane");
}

function account() {
  return MailServices.accounts.accounts.find(one => one.incomingServer.type == "imap");
}
