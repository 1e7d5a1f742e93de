"""How much of what strangers hand in is read; what goes beyond is refused, or passed over and said."""

FILE_BYTES = 64 * 2**20  # a notebook with many pictures has some 10 MiB
TAR_BYTES = 256 * 2**20  # a tar, which is unpacked as a whole
MEMBERS = 20_000  # files in a student's archive, or in a tar; the export of a large course has some 10,000
ARCHIVES = 2  # a student's archives within archives: an export of Otter's in a zip
FOLDERS = 40  # folders within folders; exports have five, projects with libraries a dozen

READ = 8  # files of one person that are read, and archives unpacked: whoever hands in hundreds takes no more time
TOLD = 20  # files of one person that are listed as set aside, and names in a note
NAME_CHARACTERS = 400  # of a file's path
PERSON_CHARACTERS = 200  # of a name, an id, an email

SOURCE_CHARACTERS = 2**20  # code that is run; real submissions have a thirtieth of it
CELLS = 2000  # code cells; real submissions have a fiftieth of them
JSON_PARTS = 2_000_000  # lists, objects and commas, of which each stands for something that takes 20 times its memory
TOKENS = 30_000  # words and signs of own code in which answers are looked for; real submissions have a tenth of it
