/**
 * The named patterns of grok-style steps, in RE2 syntax: no look-around, no back references, linear time. A pattern
 * may use others as `%{NAME}`. A configuration adds its own, and may replace any of these.
 */
export const GROK_PATTERNS: Readonly<Record<string, string>> = {
  INT: '[+-]?\\d+',
  POSINT: '[1-9]\\d*',
  NONNEGINT: '\\d+',
  NUMBER: '[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?',
  BASE16NUM: '(?:0[xX])?[0-9A-Fa-f]+',
  BOOLEAN: '(?i:true|false)',
  WORD: '\\w+',
  NOTSPACE: '\\S+',
  SPACE: '\\s*',
  DATA: '.*?',
  GREEDYDATA: '.*',
  QUOTEDSTRING: '"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'',
  UUID: '[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}',
  USER: '[A-Za-z0-9._@-]+',
  EMAIL: '[A-Za-z0-9._%+-]+@%{HOSTNAME}',
  IPV4: '(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)',
  IPV6: '(?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{0,4})(?:%[0-9A-Za-z]+)?',
  IP: '%{IPV6}|%{IPV4}',
  MAC: '(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}',
  HOSTNAME: '[0-9A-Za-z](?:[0-9A-Za-z-]{0,62})(?:\\.[0-9A-Za-z](?:[0-9A-Za-z-]{0,62}))*\\.?',
  IPORHOST: '%{IP}|%{HOSTNAME}',
  HOSTPORT: '(?:%{IPORHOST}):\\d+',
  PATH: '(?:/[^\\s?#]*)+|[A-Za-z]:\\\\[^\\s]*',
  URIPATH: '/[^\\s?#]*',
  URI: '[A-Za-z][A-Za-z0-9+.-]*://[^\\s]+',
  HTTPMETHOD: 'GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH',
  LOGLEVEL:
    '(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|severe|crit(?:ical)?|fatal|alert|emerg(?:ency)?|panic)',
  YEAR: '\\d{4}',
  MONTH:
    '(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)',
  MONTHNUM: '0?[1-9]|1[0-2]',
  MONTHDAY: '0?[1-9]|[12]\\d|3[01]',
  DAY: '(?i:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)',
  TIME: '\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d+)?)?',
  TIMEZONE: 'Z|UTC|GMT|[+-]\\d{2}:?\\d{2}',
  DATE: '\\d{4}[-/]\\d{1,2}[-/]\\d{1,2}|\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{4}',
  TIMESTAMP_ISO8601: '\\d{4}-\\d{2}-\\d{2}[T ]%{TIME}(?:%{TIMEZONE})?',
  HTTPDATE: '\\d{1,2}/%{MONTH}/\\d{4}:%{TIME} [+-]\\d{4}',
  SYSLOGTIMESTAMP: '%{MONTH} +\\d{1,2} %{TIME}',
  COMMONAPACHELOG:
    '(?:%{IPORHOST:client.address}) %{NOTSPACE} (?:-|%{NOTSPACE:user.name}) \\[%{HTTPDATE:timestamp}\\] "%{WORD:http.request.method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:http.version})?" %{INT:http.response.status_code:int} (?:-|%{INT:http.response.body.bytes:int})',
  COMBINEDAPACHELOG:
    '%{COMMONAPACHELOG} "(?:-|%{DATA:http.request.referrer})" "(?:-|%{DATA:user_agent.original})"',
};
