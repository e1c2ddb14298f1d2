// Calendars and their events.

/** New Calendar, On the Network; all that are found are taken. */
async function addCalendars(address, password, location) {
  const { CalDavProvider } = ChromeUtils.importESModule("resource:///modules/CalDavProvider.sys.mjs");
  const found = await CalDavProvider.detectCalendars(address, password, location, true);
  // It is kept while nobody waits for it; a calendar without it would ask in a window.
  const { origin } = new URL(location);
  await until("the password is kept", async () => {
    const kept = await Services.logins.searchLoginsAsync({ origin });
    return kept.some(one => one.username == address);
  });
  for (const one of found) {
    cal.manager.registerCalendar(one);
    await loaded(one);
  }
  return found.map(one => ({ name: one.name, readOnly: one.readOnly, path: one.uri.filePath }));
}

/** Its first look at the server is over. */
function loaded(calendar) {
  return refreshed(calendar, () => {});
}

function refreshed(calendar, begin) {
  return new Promise((resolve, reject) => {
    const observer = {
      QueryInterface: ChromeUtils.generateQI(["calIObserver"]),
      onStartBatch() {},
      onEndBatch() {},
      onLoad(one) {
        if (one.id == calendar.id) {
          calendar.removeObserver(observer);
          resolve();
        }
      },
      onAddItem() {},
      onModifyItem() {},
      onDeleteItem() {},
      onError(_, code, message) {
        calendar.removeObserver(observer);
        reject(new Error(`${code.toString(16)} ${message}`));
      },
      onPropertyChanged() {},
      onPropertyDeleting() {},
    };
    calendar.addObserver(observer);
    begin();
  });
}

function calendar(name) {
  const found = cal.manager.getCalendars().find(one => one.type == "caldav" && one.name == name);
  if (!found) {
    throw new Error(`there is no calendar ${name}`);
  }
  return found;
}

async function refreshCalendar(name) {
  const one = calendar(name);
  await refreshed(one, () => one.refresh());
}

async function events(name) {
  const found = await calendar(name).getItemsAsArray(
    Ci.calICalendar.ITEM_FILTER_ALL_ITEMS,
    0,
    null,
    null
  );
  return found.map(one => one.title);
}

async function addEvent(name, ics) {
  const { CalEvent } = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
  const made = await calendar(name).addItem(new CalEvent(ics));
  return made.id;
}

async function renameEvent(name, old, title) {
  const found = await event(name, old);
  const changed = found.clone();
  changed.title = title;
  await calendar(name).modifyItem(changed, found);
}

/** Move the instance that would begin at a time two hours later. */
async function moveInstance(name, title, start) {
  const series = await event(name, title);
  const instance = series.recurrenceInfo.getOccurrenceFor(cal.createDateTime(start)).clone();
  for (const edge of ["startDate", "endDate"]) {
    const moved = instance[edge].clone();
    moved.hour += 2;
    instance[edge] = moved;
  }
  const changed = series.clone();
  changed.recurrenceInfo.modifyException(instance, true);
  await calendar(name).modifyItem(changed, series);
}

/** Answer an invitation that the server put into the calendar. */
async function accept(name, title, address) {
  const invitation = await event(name, title);
  const answered = invitation.clone();
  const before = answered.getAttendeeById(`mailto:${address}`);
  const after = before.clone();
  after.participationStatus = "ACCEPTED";
  answered.removeAttendee(before);
  answered.addAttendee(after);
  await calendar(name).modifyItem(answered, invitation);
}

/** What the dialog for inviting people shows of somebody's time. */
async function busyTimes(address, from, to) {
  const found = [];
  await new Promise(resolve => {
    cal.freeBusyService.getFreeBusyIntervals(
      `mailto:${address}`,
      cal.createDateTime(from),
      cal.createDateTime(to),
      Ci.calIFreeBusyInterval.BUSY_ALL,
      {
        QueryInterface: ChromeUtils.generateQI(["calIGenericOperationListener"]),
        onResult(operation, intervals) {
          found.push(...(intervals || []));
          if (!operation.isPending) {
            resolve();
          }
        },
      }
    );
  });
  return found.map(one => [one.interval.start.icalString, one.interval.end.icalString]);
}

async function removeEvent(name, title) {
  await calendar(name).deleteItem(await event(name, title));
}

async function event(name, title) {
  const all = await calendar(name).getItemsAsArray(
    Ci.calICalendar.ITEM_FILTER_ALL_ITEMS,
    0,
    null,
    null
  );
  const found = all.find(one => one.title == title);
  if (!found) {
    throw new Error(`there is no event ${title}`);
  }
  return found;
}
