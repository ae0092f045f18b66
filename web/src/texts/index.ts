// Every text that a person reads, in English. A translation is a copy of this folder. A namespace, not an object: each page
// then loads the texts that it shows.
export * as texts from './all';
