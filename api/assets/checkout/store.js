// What this tab remembers of a payment, so that a reload goes on where it was. Gone with the tab.

/** The memory of one product's page, or of one payment session's. */
export function memory(name) {
  const key = `hilt:${name}`;
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(key)) || {};
    } catch {
      return {};
    }
  };
  const write = (value) => {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // A browser that stores nothing pays all the same; only a reload starts anew.
    }
  };
  return {
    get: read,
    keep: (values) => write({ ...read(), ...values }),
    forget: (...names) => {
      const value = read();
      for (const name of names) delete value[name];
      write(value);
    },
  };
}
